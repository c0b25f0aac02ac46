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
    consistentRead: { true: 'always', false: 'never', 'on-miss': 'on-miss' }[options.consistentRead],
    createTable: options.newTable,
    connectTimeout,
    attemptTimeout,
    timeout: options.timeout,
    maxAttempts,
    maxConnections: options.maxConnections
  }
}

/** The item layout, in the form that the addon expects. */
function layoutOf(options) {
  return {
    hashKey: options.hashKey,
    sortKey: options.sortKey ?? null,
    prefix: options.prefix,
    session: options.attributes.session,
    expires: options.attributes.expires,
    constants: options.constants,
    format: options.format
  }
}

module.exports = { layoutOf, nativeSettings }
