'use strict'

const { defined, optionsOf } = require('./options.js')

/**
 * The native options that an object for a constructor of the AWS SDK v2 stands for, such as
 * `{ region, endpoint, accessKeyId, secretAccessKey }`.
 */
function optionsOfVersion2Config(given) {
  const config = optionsOf(given)
  const { region, maxRetries } = config
  const httpOptions = optionsOf(config.httpOptions ?? {})
  const endpoint = endpointOf(config)
  // In v2 an endpoint replaces the one that FIPS and dual stack would lead to. In v3, and here, they contradict it.
  const isCustom = endpoint !== undefined
  return defined({
    region: text(region) || undefined,
    endpoint,
    credentials: credentialsOf(config),
    useDualStack: isCustom ? false : (config.useDualstackEndpoint ?? config.useDualstack),
    useFips: isCustom ? false : config.useFipsEndpoint,
    maxAttempts: Number.isInteger(maxRetries) && maxRetries >= 0 ? maxRetries + 1 : undefined,
    connectTimeout: milliseconds(httpOptions.connectTimeout),
    attemptTimeout: milliseconds(httpOptions.timeout)
  })
}

/** Environment variables may have become numbers on their way. */
function text(value) {
  return value === undefined || value === null ? undefined : String(value)
}

function milliseconds(value) {
  return Number.isInteger(value) && value > 0 ? value : undefined
}

/** A URL, a host that TLS is spoken to unless `sslEnabled` says otherwise, or an AWS.Endpoint. */
function endpointOf({ endpoint, sslEnabled }) {
  if (endpoint === undefined || endpoint === null || endpoint === '') return undefined
  if (typeof endpoint === 'object') return endpoint.href
  return /^https?:\/\//i.test(endpoint) ? endpoint : `${sslEnabled === false ? 'http' : 'https'}://${endpoint}`
}

/** The keys themselves, or a function that follows an AWS.Credentials or a chain of providers. */
function credentialsOf({ accessKeyId, secretAccessKey, sessionToken, credentials, credentialProvider }) {
  if (credentials) return () => refreshed(credentials)
  if (credentialProvider) return async () => refreshed(await credentialProvider.resolvePromise())
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId: text(accessKeyId), secretAccessKey: text(secretAccessKey), sessionToken: text(sessionToken) }
}

async function refreshed(credentials) {
  // Only AWS.Credentials know how to renew themselves.
  await credentials.getPromise?.()
  const { accessKeyId, secretAccessKey, sessionToken, expireTime } = credentials
  return { accessKeyId, secretAccessKey, sessionToken, expiration: expireTime }
}

module.exports = { optionsOfVersion2Config }
