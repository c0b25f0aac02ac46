'use strict'

const { clearTimeout, setTimeout } = require('./timers.js')

const isVersion3 = (client) => typeof client.send === 'function'
const isVersion2 = (client) => typeof client.makeRequest === 'function'

/** Whether the value is a DynamoDB client of the AWS SDK for JavaScript, v3 or v2. */
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
 * The store options that correspond to the settings of a client: its Region, endpoint, number of attempts, timeouts,
 * and credentials, which are fetched whenever they are needed. The store does not send requests through the client.
 *
 * The client's settings are functions that may do I/O, which may take up to `limit` milliseconds.
 */
async function optionsOfClient(client, limit) {
  warnAboutBypassedCode(client)
  let timer
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`reading the client's settings took longer than ${limit} ms`)), limit)
  })
  try {
    return await Promise.race([isVersion3(client) ? optionsOfVersion3(client) : optionsOfVersion2(client), timeout])
  } finally {
    clearTimeout(timer)
  }
}

/** Warns about code that the app added to its client, because the store does not call it. */
function warnAboutBypassedCode(client) {
  const bypassed = []
  // `send` is replaced on the client, or a mocking library has stubbed it on the class.
  if (Object.hasOwn(client, 'send') || typeof client.send?.restore === 'function')
    bypassed.push("the client's replaced send")
  const middleware = addedMiddleware(client)
  if (middleware.length > 0) bypassed.push(`the middleware ${middleware.join(', ')}`)
  if (bypassed.length === 0) return
  process.emitWarning(
    `the store does not send requests through the client, so it does not call ${bypassed.join(' or ')}`,
    { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_BYPASSED' }
  )
}

/** The names of the middleware that a new client of the same class does not have. */
function addedMiddleware(client) {
  let own
  try {
    own = new Set(new client.constructor({ region: 'us-east-1' }).middlewareStack.identify())
  } catch {
    // The default middleware is unknown: it is a client of v2, or its class has a different constructor.
    return []
  }
  return client.middlewareStack
    .identify()
    .filter((entry) => !own.has(entry))
    .map((entry) => entry.split(' - ')[0])
}

async function optionsOfVersion3({ config }) {
  const endpoint = await config.endpoint?.()
  // Settles when the handler has read its options.
  const handler = (await config.requestHandler?.configProvider) ?? {}
  return {
    region: await config.region(),
    endpoint: endpoint && urlOf(endpoint),
    maxAttempts: await config.maxAttempts(),
    connectTimeout: handler.connectionTimeout || undefined,
    attemptTimeout: handler.requestTimeout || handler.socketTimeout || undefined,
    useFips: await config.useFipsEndpoint(),
    useDualStack: await config.useDualstackEndpoint(),
    // Older clients do not have this setting.
    accountIdEndpointMode: await config.accountIdEndpointMode?.(),
    credentials: () => config.credentials()
  }
}

function urlOf({ protocol, hostname, port, path = '/' }) {
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${path}`
}

/** The default socket timeout of v2, which is longer than a browser waits. The store does not use it. */
const VERSION_2_TIMEOUT = 120_000

function optionsOfVersion2({ config, endpoint }) {
  const { connectTimeout, timeout } = config.httpOptions ?? {}
  return {
    region: config.region,
    // The endpoint already reflects the settings for FIPS and dual stack, so they must not apply again.
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
