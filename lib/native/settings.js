'use strict'

const { withoutUndefined } = require('../options.js')

/** Defaults that the settings of the `client` option override. */
const requestDefaults = { connectTimeout: 1000, attemptTimeout: 3000, maxAttempts: null }

/** The settings of the addon's store, for the options of a store. A setting without a value is null. */
function nativeSettings(options) {
  const { credentials } = options
  const { connectTimeout, attemptTimeout, maxAttempts } = {
    __proto__: null,
    ...requestDefaults,
    ...withoutUndefined(options)
  }
  return {
    table: options.table,
    layout: layoutOf(options),
    region: options.region ?? null,
    endpoint: options.endpoint ?? null,
    profile: options.profile ?? null,
    useFips: options.useFips ?? null,
    useDualStack: options.useDualStack ?? null,
    accountIdEndpointMode: options.accountIdEndpointMode ?? null,
    credentials:
      typeof credentials === 'object'
        ? {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey,
            sessionToken: credentials.sessionToken ?? null,
            accountId: credentials.accountId ?? null
          }
        : null,
    // Client credentials that have no expiration never change, because the client itself does not fetch them again.
    credentialsMayChange: typeof credentials === 'function' && options.client === undefined,
    encryption: encryptionOf(options),
    compression: options.compression ?? false,
    maxLifetime: options.maxLifetime ?? null,
    consistentRead: { true: 'always', false: 'never', 'on-miss': 'on-miss' }[options.consistentRead],
    createTable: options.newTable,
    connectTimeout,
    attemptTimeout,
    timeout: options.timeout,
    maxAttempts,
    maxConnections: options.maxConnections
  }
}

function encryptionOf({ encryption }) {
  if (encryption === undefined) return null
  const { keys, write, acceptPlain, refreshAfter } = encryption
  return { keys: keys?.() ?? null, write, acceptPlain, refreshAfter }
}

/** The settings of the addon's codec. It has no keys if they come from a function. */
function codecSettings(options) {
  const { encryption, compression = false } = options
  const keys = encryption?.keys?.() ?? null
  return { layout: layoutOf(options), keys, encrypts: encryption?.write ?? false, compression }
}

/** The item layout, in the form that the addon expects. */
function layoutOf(options) {
  return {
    hashKey: options.hashKey,
    sortKey: options.sortKey ?? null,
    prefix: options.prefix,
    session: options.attributes.session,
    expires: options.attributes.expires,
    user: options.user === undefined ? null : options.attributes.user,
    created: options.maxLifetime === undefined ? null : options.attributes.created,
    hashIds: options.hashIds ?? false,
    constants: options.constants,
    format: options.format
  }
}

module.exports = { codecSettings, nativeSettings }
