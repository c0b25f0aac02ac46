'use strict'

const { commandLine, quoted } = require('../lib/command-line.js')
const layouts = require('../lib/compat/layouts.js')
const { connectionOptions, formOptions, layoutOptions, sharedBySides } = require('./options.js')
const { userIndexOptions } = require('./user-index.js')

const rejectedCredentialsCodes = [
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'MissingAuthenticationTokenException'
]
const throttlingCodes = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'Throttling'
]

/** Whether the credentials are missing, or the service rejects them. */
function isCredentialsError({ code }) {
  return code === 'CredentialsError' || rejectedCredentialsCodes.includes(code)
}

/**
 * How to fix an error of the store, or undefined. `values` are the options of the command line, and `side` is the
 * table of migrate (`from` or `to`) that the error is about.
 */
function hintFor(error, { command, values = {}, side }) {
  const { code, operation } = error
  const flag = (name) => flagOf(name, values, side)
  if (code === 'CredentialsError') {
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile (for an SSO profile, run aws sso login first)'
  }
  if (rejectedCredentialsCodes.includes(code)) {
    return 'the credentials are invalid or have expired: renew them, and check that they belong to the AWS partition of this Region'
  }
  if (code === 'ConfigError' && /region/i.test(error.message)) return `use ${flag('region')}, or set AWS_REGION`
  if (code === 'ValidationException' && /key element/i.test(error.message)) return keyHint({ values, side })
  if (code === 'ValidationException' && /the specified index/i.test(error.message)) {
    const init = suggestedCommand('init', { ...values, 'user-index': true }, side)
    return `check ${flag('table')} and ${flag('user-attribute')}, or add the index: ${init}`
  }
  if (code === 'UnknownOperationException') {
    return `the service does not support this operation: check ${flag('endpoint')}`
  }
  if (code === 'ResourceNotFoundException') {
    const check = `check ${flag('table')} and ${flag('region')}`
    return side === 'from' ? check : `${check}, or create the table: ${suggestedCommand('init', values, side)}`
  }
  if (code === 'AccessDeniedException') {
    const policy = suggestedCommand('policy', values, side, { features: policyFeatures(command, values, side) })
    return `allow dynamodb:${operation} in the IAM policy; to print one, run: ${policy}`
  }
  if (code === 'NetworkError' || code === 'TimeoutError') {
    return `check ${flag('endpoint')}, ${flag('region')}, the network, and the proxy settings`
  }
  if (throttlingCodes.includes(code)) return 'lower --rate or --read-rate, or increase the capacity of the table'
  return undefined
}

/** The features of `policy` that a command needs. doctor checks what an app needs, which is the default. */
function policyFeatures(command, values, side) {
  if (side !== undefined) return `${command}-${side}`
  const hasIndex = values['user-index']
  if (command === 'doctor') return hasIndex ? 'sessions,user' : undefined
  return command === 'init' && hasIndex ? 'init,user-index' : command
}

/** How to fix a table whose key is not the expected one. `mismatch` has the attributes of its key, if known. */
function keyHint({ values, side, mismatch }) {
  const flag = (name) => flagOf(name, values, side)
  const { names, areStrings } = mismatch ?? {}
  if (areStrings === false)
    return `use a different ${flag('table')}: the key of a session table must be of type S (string)`
  if (names === undefined) {
    return `set ${flag('layout')} to the package that created the table, or set ${flag('hash-key')} and ${flag('sort-key')}`
  }
  const [hashKey, sortKey] = names
  const hasKey = (layout) => (layout.hashKey ?? 'id') === hashKey && layout.sortKey === sortKey
  const matching = Object.keys(layouts).filter((name) => hasKey(layouts[name]))
  const keyFlags = ['hash-key', 'sort-key']
    .slice(0, names.length)
    .map((name, i) => `${flag(name)} ${quoted(names[i])}`)
    .join(' ')
  return `use ${[...matching.map((name) => `${flag('layout')} ${name}`), keyFlags].join(', or ')}`
}

/** An option as the user types it. migrate has some options once for each side, and some also for both sides. */
function flagOf(name, values, side) {
  const isShared = sharedBySides.includes(name) && values[`${side}-${name}`] === undefined && values[name] !== undefined
  return side === undefined || isShared ? `--${name}` : `--${side}-${name}`
}

/** A command with those options of this command line that are about the table, its layout, and the service. */
function suggestedCommand(name, values, side, extraOptions = {}) {
  const { options } = require(`./commands/${name}.js`)
  const { keys, user } = formOptions
  const names = Object.keys({ ...connectionOptions, ...layoutOptions, ...userIndexOptions, keys, user }).filter(
    (option) => Object.hasOwn(options, option) && !options[option].isHidden
  )
  const given = names.map((option) => [option, values[`${side}-${option}`] ?? values[option]])
  return commandLine(name, { ...extraOptions, ...Object.fromEntries(given) })
}

/** The cause of an error, such as the places searched for credentials, unless the message already contains it. */
function causeText({ message, cause }) {
  const text = cause?.message.replace(/^dispatch failure: (io error: |.*?the credentials provider failed: )?/s, '')
  return text !== undefined && message.endsWith(text.split(': ').at(-1)) ? undefined : text
}

module.exports = { causeText, hintFor, isCredentialsError, keyHint, suggestedCommand }
