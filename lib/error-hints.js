'use strict'

const { commandLine } = require('./command-line.js')

// Hints for a request that failed. lib/option-hints.js has those for invalid options.

const AWS_URL = /^https?:\/\/[^/]*\.(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)(:\d+)?(\/|$)/i

/** Failures that occur although the service responds, or before a request is sent. */
const CLIENT_FAILURE = /^(no credentials|no free connection|the certificate files|the index still shows)/

const KEY_ERROR =
  /key element does not match|One of the required keys was not given a value|Missing the key|Type mismatch for key|number of conditions on the keys/i

const INDEX_ERROR = /not have the specified index/i

/** The names of the options. A compatible store sets other names in `options.names`. */
const defaultNames = {
  table: 'table',
  createTable: 'createTable: true',
  hashKey: 'hashKey',
  sortKey: 'sortKey',
  region: 'region',
  endpoint: 'endpoint'
}

/**
 * The message of a failure, followed by where the request went and what to do next. `region` and `endpoint` are those
 * that the addon used. They are undefined if it failed before it determined them.
 */
function withHints({ code, message, region, endpoint }, options) {
  const sentences = [message, ...hintsFor({ code, message, region, endpoint }, options)]
  return sentences
    .map((sentence, i) => (i < sentences.length - 1 ? sentence.replace(/[.\s]*$/, '.') : sentence))
    .join(' ')
}

function hintsFor({ code, message, region, endpoint }, options) {
  if (region === undefined || endpoint === undefined) return []
  const isCustom = !AWS_URL.test(endpoint)
  const names = { ...defaultNames, ...options.names }
  const { hints = true } = options
  if (code === 'ResourceNotFoundException') {
    const place = `Region ${region}${isCustom ? ` at ${endpoint}` : ''}`
    const problem = `Table ${JSON.stringify(options.table)} does not exist in ${place}, or is not ACTIVE yet`
    return hints ? [problem, missingTableHint(region, isCustom ? endpoint : undefined, names, options)] : [problem]
  }
  if (!hints) return []
  if (code === 'ValidationException' && KEY_ERROR.test(message)) {
    return keyHints(region, isCustom ? endpoint : undefined, names, options)
  }
  if (code === 'ValidationException' && INDEX_ERROR.test(message)) {
    return [indexHint(region, isCustom ? endpoint : undefined, options)]
  }
  const isAboutService = ['UnknownServiceError', 'UnknownOperationException'].includes(code)
  const isAboutNetwork = ['NetworkError', 'TimeoutError'].includes(code) && !CLIENT_FAILURE.test(message)
  if (isCustom && (isAboutNetwork || isAboutService)) {
    return [`Check that DynamoDB is running at ${endpoint} (${settingOf('endpoint', names, options)})`]
  }
  if (isAboutNetwork && /^(cannot connect|no connection|no success)/.test(message)) {
    const source = settingOf('region', names, options)
    return [`Check that ${region} is the right Region (${source}), and check the network and the proxy settings`]
  }
  return []
}

function missingTableHint(region, endpoint, names, options) {
  const init = commandLine('init', flagsOf(region, endpoint, options))
  // A store with the `createTable` option already created the table, so the table was deleted since then.
  const creation = options.newTable
    ? 'To create the table, run'
    : `Or create the table: set ${names.createTable} or run`
  return `Check the ${names.table} option, the Region, and the endpoint. ${creation}: ${init}`
}

/** The option `user` needs an index, which the store creates only with a new table. */
function indexHint(region, endpoint, options) {
  const { user } = options.attributes
  const init = commandLine('init', {
    ...flagsOf(region, endpoint, options),
    'user-index': true,
    'user-attribute': unlessDefault(user, 'user')
  })
  return `Option user needs the index ${user}-index. To add it, run: ${init}`
}

function keyHints(region, endpoint, names, options) {
  const { table, hashKey, sortKey, attributes, format } = options
  const isSet = (name, value) => `option ${name} is ${value === undefined ? 'not set' : JSON.stringify(value)}`
  const used = `${isSet(names.hashKey, hashKey)} and ${isSet(names.sortKey, sortKey)}`
  const doctor = commandLine('doctor', {
    ...flagsOf(region, endpoint, options),
    'session-attribute': unlessDefault(attributes.session, 'sess'),
    format: unlessDefault(format, 'json')
  })
  return [
    `The key of table ${JSON.stringify(table)} does not match the options: ${used}`,
    `Set both options to the attribute names of the table's key. To see the key, run: ${doctor}`
  ]
}

/** The value, or undefined for the default, which needs no flag. */
const unlessDefault = (value, defaultValue) => (value === defaultValue ? undefined : value)

/** The options as flags of the commands init and doctor. */
function flagsOf(region, endpoint, { table, hashKey, sortKey, prefix, attributes, profile }) {
  return {
    table,
    region,
    endpoint,
    profile,
    'hash-key': unlessDefault(hashKey, 'id'),
    'sort-key': sortKey,
    prefix: unlessDefault(prefix, 'sess:'),
    'expires-attribute': unlessDefault(attributes.expires, 'expires')
  }
}

/** Where the Region or the endpoint is set. */
function settingOf(name, names, options) {
  if (options.client !== undefined) return 'set by the client option'
  if (options[name] !== undefined) return `option ${names[name]}`
  return name === 'region'
    ? `option ${names.region}, AWS_REGION, or the profile`
    : `option ${names.endpoint}, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or the profile`
}

module.exports = { withHints }
