'use strict'

const { commandLine, quoted } = require('../lib/command.js')
const layouts = require('../lib/compat/layouts.js')
const { connection, layout, shared } = require('./options.js')

const codesOfBadCredentials = [
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'MissingAuthenticationTokenException'
]
const codesOfThrottling = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'Throttling'
]

/** Whether the service does not take the credentials, or there are none. */
function isAboutCredentials({ code }) {
  return code === 'CredentialsError' || codesOfBadCredentials.includes(code)
}

/**
 * What a person can do about an error of the store, or undefined. `values` are those of the command line of
 * `command`, and `side` is the table of migrate that the error is about.
 */
function adviceFor(error, { command, values = {}, side }) {
  const { code, operation } = error
  const flag = (name) => flagOf(name, values, side)
  if (code === 'CredentialsError') {
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile (after aws sso login, if it is one of SSO)'
  }
  if (codesOfBadCredentials.includes(code)) {
    return 'the credentials are wrong or have expired: renew them, and check that they are valid in this Region'
  }
  if (code === 'ConfigError' && /region/i.test(error.message)) return `give ${flag('region')}, or set AWS_REGION`
  if (code === 'ValidationException' && /key element/i.test(error.message)) return adviceOnKeys({ values, side })
  if (code === 'UnknownOperationException') return `this service cannot do that: is ${flag('endpoint')} the right one?`
  if (code === 'ResourceNotFoundException') {
    const check = `check ${flag('table')} and ${flag('region')}`
    return side === 'from' ? check : `${check}, or create the table: ${suggestion('init', values, side)}`
  }
  if (code === 'AccessDeniedException') {
    const features = featuresOf(command, side)
    return `let the policy allow dynamodb:${operation}: ${suggestion('policy', values, side, { features })} prints one`
  }
  if (code === 'NetworkError' || code === 'TimeoutError') {
    return `check ${flag('endpoint')} and ${flag('region')}, the network, and the proxy`
  }
  if (codesOfThrottling.includes(code)) return 'give a lower --rate or --read-rate, or the table more capacity'
  return undefined
}

/** The features of policy that a command needs; doctor checks what an app needs, which is the default. */
function featuresOf(command, side) {
  if (side !== undefined) return `${command}-${side}`
  return command === 'doctor' ? undefined : command
}

/** What to do when the table has another key; `mismatch` tells its attributes where they are known. */
function adviceOnKeys({ values, side, mismatch }) {
  const flag = (name) => flagOf(name, values, side)
  const { names, areStrings } = mismatch ?? {}
  if (areStrings === false)
    return `give another ${flag('table')}: the key of a session table must be of type S (string)`
  if (names === undefined) {
    return `give the ${flag('layout')} of the package that made the table, or ${flag('hash-key')} and ${flag('sort-key')}`
  }
  const [hashKey, sortKey] = names
  const isLikeIt = (layout) => (layout.hashKey ?? 'id') === hashKey && layout.sortKey === sortKey
  const found = Object.keys(layouts).filter((name) => isLikeIt(layouts[name]))
  const keys = ['hash-key', 'sort-key'].flatMap((name, i) =>
    names[i] === undefined ? [] : `${flag(name)} ${quoted(names[i])}`
  )
  return [...found.map((name) => `${flag('layout')} ${name}`), keys.join(' ')].reduce(
    (text, choice, i) => `${text}${i === 0 ? 'give ' : ', or '}${choice}`,
    ''
  )
}

/** An option as it is typed; migrate has one for each side, and for some options one for both. */
function flagOf(name, values, side) {
  const isShared = side !== undefined && shared.includes(name) && values[`${side}-${name}`] === undefined
  return side === undefined || (isShared && values[name] !== undefined) ? `--${name}` : `--${side}-${name}`
}

/** A command with the options of this command line about the table, its layout, and the service. */
function suggestion(name, values, side, more = {}) {
  const { options } = require(`./commands/${name}.js`)
  const names = Object.keys({ ...connection, ...layout }).filter((option) => Object.hasOwn(options, option))
  const given = names.map((option) => [option, values[`${side}-${option}`] ?? values[option]])
  return commandLine(name, { ...more, ...Object.fromEntries(given) })
}

/** The cause of an error, such as the places where credentials were looked for, unless the message has it. */
function reasonOf({ message, cause }) {
  const reason = cause?.message.replace(/^dispatch failure: (io error: |.*?the credentials provider failed: )?/s, '')
  return reason !== undefined && message.endsWith(reason.split(': ').at(-1)) ? undefined : reason
}

module.exports = { adviceFor, adviceOnKeys, isAboutCredentials, reasonOf, suggestion }
