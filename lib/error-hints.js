'use strict'

const { commandLine } = require('./command.js')

const isOfAWS = /^https?:\/\/[^/]*\.(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)(:\d+)?(\/|$)/i

/** Failures before a request was sent, whatever the service does. */
const isAboutClient = /^(no credentials|no free connection|the files of certificates)/

const isAboutKey =
  /key element does not match|One of the required keys was not given a value|Missing the key|Type mismatch for key|number of conditions on the keys/i

/** Names of the native options; a compatible store gives its own in `options.names`. */
const nativeNames = {
  table: 'table',
  createTable: 'createTable: true',
  hashKey: 'hashKey',
  sortKey: 'sortKey',
  region: 'region',
  endpoint: 'endpoint'
}

/**
 * The message of a failure with where the request went and what to do next. `region` and `endpoint` are the ones
 * that the addon used, if it came so far.
 */
function withHints({ code, message, region, endpoint }, options) {
  const sentences = [message, ...sentencesFor({ code, message, region, endpoint }, options)]
  return sentences
    .map((sentence, i) => (i < sentences.length - 1 ? sentence.replace(/[.\s]*$/, '.') : sentence))
    .join(' ')
}

function sentencesFor({ code, message, region, endpoint }, options) {
  if (region === undefined || endpoint === undefined) return []
  const isCustom = !isOfAWS.test(endpoint)
  const names = { ...nativeNames, ...options.names }
  const { hints = true } = options
  if (code === 'ResourceNotFoundException') {
    const place = `Region ${region}${isCustom ? ` at ${endpoint}` : ''}`
    const fact = `Table ${JSON.stringify(options.table)} does not exist in ${place}, or is not ACTIVE yet`
    return hints ? [fact, createOrCorrect(region, isCustom ? endpoint : undefined, names, options)] : [fact]
  }
  if (!hints) return []
  if (code === 'ValidationException' && isAboutKey.test(message)) {
    return aboutKey(region, isCustom ? endpoint : undefined, names, options)
  }
  const isAboutService = ['UnknownServiceError', 'UnknownOperationException'].includes(code)
  const isAboutNetwork = ['NetworkError', 'TimeoutError'].includes(code) && !isAboutClient.test(message)
  if (isCustom && (isAboutNetwork || isAboutService)) {
    return [`Check that DynamoDB is running at ${endpoint} (${sourceOf('endpoint', names, options)})`]
  }
  if (isAboutNetwork && /^(cannot connect|no connection|no success)/.test(message)) {
    const source = sourceOf('region', names, options)
    return [`Check that ${region} is the right Region (${source}), and check the network and the proxy settings`]
  }
  return []
}

function createOrCorrect(region, endpoint, names, options) {
  const init = commandLine('init', flagsOf(region, endpoint, options))
  // A store that creates its table lost it a moment ago.
  const creation = options.newTable ? 'with this command' : `with option ${names.createTable} or with this command`
  return `Correct option ${names.table}, the Region, or the endpoint, or create the table ${creation}: ${init}`
}

function aboutKey(region, endpoint, names, options) {
  const { table, hashKey, sortKey, attributes, format } = options
  const isSet = (name, value) => `option ${name} is ${value === undefined ? 'not set' : JSON.stringify(value)}`
  const used = `${isSet(names.hashKey, hashKey)} and ${isSet(names.sortKey, sortKey)}`
  const doctor = commandLine('doctor', {
    ...flagsOf(region, endpoint, options),
    'session-attribute': unless(attributes.session, 'sess'),
    format: unless(format, 'json')
  })
  return [
    `Table ${JSON.stringify(table)} has another key: ${used}`,
    `Set them to the names of the table's key, which this command shows: ${doctor}`
  ]
}

const unless = (value, usual) => (value === usual ? undefined : value)

/** The options as flags that the commands init and doctor take. */
function flagsOf(region, endpoint, { table, hashKey, sortKey, prefix, attributes, profile }) {
  return {
    table,
    region,
    endpoint,
    profile,
    'hash-key': unless(hashKey, 'id'),
    'sort-key': sortKey,
    prefix: unless(prefix, 'sess:'),
    'expires-attribute': unless(attributes.expires, 'expires')
  }
}

function sourceOf(name, names, options) {
  if (options.client !== undefined) return 'of option client'
  if (options[name] !== undefined) return `option ${names[name]}`
  return name === 'region'
    ? `option ${names.region}, AWS_REGION, or the profile`
    : `option ${names.endpoint}, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or the profile`
}

module.exports = { withHints }
