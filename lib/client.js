'use strict'

const { clearTimeout, setTimeout } = require('./timers.js')

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
 * attempts and timeouts unless the app gives others, and its credentials, asked for each time that they are
 * needed.
 *
 * The client's settings are functions that may do I/O; `limit` milliseconds bound it.
 */
async function optionsOfClient(client, limit) {
  warnOfWhatIsBypassed(client)
  let timer
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`they take longer than ${limit} ms`)), limit)
  })
  try {
    return await Promise.race([isVersion3(client) ? optionsOfVersion3(client) : optionsOfVersion2(client), timeout])
  } finally {
    clearTimeout(timer)
  }
}

/** What an app has put into its client would be missed without a word. */
function warnOfWhatIsBypassed(client) {
  const bypassed = []
  // An own `send`, or the stub of a mocking library on the class.
  if (Object.hasOwn(client, 'send') || typeof client.send?.restore === 'function') bypassed.push('its own send')
  const middleware = addedMiddleware(client)
  if (middleware.length > 0) bypassed.push(`the middleware ${middleware.join(', ')}`)
  if (bypassed.length === 0) return
  process.emitWarning(
    `the store does not send through the client that was given: ${bypassed.join(' and ')} will not be called`,
    { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_BYPASSED' }
  )
}

/** The names of the middleware that a new client of the class does not have. */
function addedMiddleware(client) {
  let own
  try {
    own = new Set(new client.constructor({ region: 'us-east-1' }).middlewareStack.identify())
  } catch {
    // Not a client whose middleware is known: one of v2, or of a class with another constructor.
    return []
  }
  return client.middlewareStack
    .identify()
    .filter((entry) => !own.has(entry))
    .map((entry) => entry.split(' - ')[0])
}

async function optionsOfVersion3({ config }) {
  const endpoint = await config.endpoint?.()
  // Settles when the handler has read the options it was made with.
  const handler = (await config.requestHandler?.configProvider) ?? {}
  return {
    region: await config.region(),
    endpoint: endpoint && urlOf(endpoint),
    maxAttempts: await config.maxAttempts(),
    connectTimeout: handler.connectionTimeout || undefined,
    attemptTimeout: handler.requestTimeout || handler.socketTimeout || undefined,
    useFips: await config.useFipsEndpoint(),
    useDualStack: await config.useDualstackEndpoint(),
    // Older clients do not have it.
    accountIdEndpointMode: await config.accountIdEndpointMode?.(),
    credentials: () => config.credentials()
  }
}

function urlOf({ protocol, hostname, port, path = '/' }) {
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${path}`
}

/** The timeout of a socket in v2, where the app sets none, which is longer than a browser waits. */
const VERSION_2_TIMEOUT = 120_000

function optionsOfVersion2({ config, endpoint }) {
  const { connectTimeout, timeout } = config.httpOptions ?? {}
  return {
    region: config.region,
    // The result of its settings for FIPS and dual stack, which therefore do not count again.
    endpoint: endpoint?.href,
    useFips: false,
    useDualStack: false,
    maxAttempts: config.maxRetries === undefined ? undefined : config.maxRetries + 1,
    connectTimeout: connectTimeout || undefined,
    attemptTimeout: timeout === VERSION_2_TIMEOUT ? undefined : timeout || undefined,
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
