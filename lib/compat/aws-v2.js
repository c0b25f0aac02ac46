'use strict'

const { copyOptions, withoutUndefined } = require('../options.js')

/**
 * Converts options of a constructor of the AWS SDK v2, such as `{ region, endpoint, accessKeyId, secretAccessKey }`, to
 * native options.
 */
function optionsOfVersion2Config(given) {
  const config = copyOptions(given)
  const { region, maxRetries } = config
  const httpOptions = copyOptions(config.httpOptions ?? {})
  const endpoint = endpointOf(config)
  // In v2, a custom endpoint takes precedence over FIPS and dual stack. In v3 and here, they conflict.
  const isCustom = endpoint !== undefined
  return withoutUndefined({
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

/** A value that comes from an environment variable may have been parsed as a number. */
function text(value) {
  return value === undefined || value === null ? undefined : String(value)
}

function milliseconds(value) {
  return Number.isInteger(value) && value > 0 ? value : undefined
}

/** `endpoint` is a URL, a host, or an `AWS.Endpoint`. A host is reached over HTTPS unless `sslEnabled` is false. */
function endpointOf({ endpoint, sslEnabled }) {
  if (endpoint === undefined || endpoint === null || endpoint === '') return undefined
  if (typeof endpoint === 'object') return endpoint.href
  return /^https?:\/\//i.test(endpoint) ? endpoint : `${sslEnabled === false ? 'http' : 'https'}://${endpoint}`
}

/** The keys, or a function that returns the current keys of an `AWS.Credentials` or of a provider chain. */
function credentialsOf({ accessKeyId, secretAccessKey, sessionToken, credentials, credentialProvider }) {
  if (credentials) return () => refreshed(credentials)
  if (credentialProvider) return async () => refreshed(await credentialProvider.resolvePromise())
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId: text(accessKeyId), secretAccessKey: text(secretAccessKey), sessionToken: text(sessionToken) }
}

async function refreshed(credentials) {
  // `AWS.Credentials` renew themselves here. A plain object with keys has no such method.
  await credentials.getPromise?.()
  const { accessKeyId, secretAccessKey, sessionToken, expireTime } = credentials
  return { accessKeyId, secretAccessKey, sessionToken, expiration: expireTime }
}

module.exports = { optionsOfVersion2Config }
