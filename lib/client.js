'use strict'

const { DynamoDBStoreError } = require('./error.js')

const isVersion3 = (client) => typeof client.send === 'function'
const isVersion2 = (client) => typeof client.makeRequest === 'function'

/** Whether it is a DynamoDB client of the AWS SDK for JavaScript, v3 or v2. */
function isJavaScriptClient(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof value.config === 'object' &&
    value.config !== null &&
    (isVersion3(value) || isVersion2(value))
  )
}

/**
 * The options that stand for a JavaScript client, which is not sent through: its region and endpoint, its
 * attempts unless `maxAttempts` is given, and its credentials, asked for each time that they are needed.
 */
async function optionsOfClient(client) {
  try {
    return isVersion3(client) ? await optionsOfVersion3(client) : optionsOfVersion2(client)
  } catch (error) {
    throw new DynamoDBStoreError('ConfigError', 'the configuration of the client cannot be read', { cause: error })
  }
}

async function optionsOfVersion3({ config }) {
  const endpoint = await config.endpoint?.()
  return {
    region: await config.region(),
    endpoint: endpoint && urlOf(endpoint),
    maxAttempts: await config.maxAttempts(),
    useFips: await config.useFipsEndpoint(),
    useDualStack: await config.useDualstackEndpoint(),
    credentials: () => config.credentials()
  }
}

function urlOf({ protocol, hostname, port, path = '/' }) {
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${path}`
}

function optionsOfVersion2({ config, endpoint }) {
  return {
    region: config.region,
    endpoint: endpoint?.href,
    maxAttempts: config.maxRetries === undefined ? undefined : config.maxRetries + 1,
    credentials: () => credentialsOfVersion2(config)
  }
}

function credentialsOfVersion2(config) {
  return new Promise((resolve, reject) => {
    config.getCredentials((error, credentials) => {
      if (error) return reject(error)
      const { accessKeyId, secretAccessKey, sessionToken, expireTime } = credentials
      resolve({ accessKeyId, secretAccessKey, sessionToken, expiration: expireTime })
    })
  })
}

module.exports = { isJavaScriptClient, optionsOfClient }
