'use strict'

const layouts = require('../lib/compat/layouts.js')
const { usageError } = require('./error.js')
const { oneOf, positive } = require('./parse.js')

/** Options that many commands have, as parse.js and help.js read them. */
const connection = {
  table: { type: 'string', value: 'name', text: 'name or ARN of the table', default: 'sessions' },
  region: { type: 'string', value: 'region', text: 'AWS Region', default: 'from the environment or the profile' },
  endpoint: { type: 'string', value: 'url', text: 'URL of the service, such as that of DynamoDB Local' },
  profile: { type: 'string', value: 'name', text: 'profile of the shared AWS config files' }
}

const layout = {
  layout: {
    type: 'string',
    value: 'name',
    text: `the package whose items they are: ${Object.keys(layouts).join(', ')}; sets what the options below leave`,
    default: 'connect-dynamodb',
    parse: layoutName
  },
  'hash-key': { type: 'string', value: 'name', text: 'attribute that is the partition key' },
  'sort-key': { type: 'string', value: 'name', text: 'attribute that is the sort key' },
  prefix: { type: 'string', value: 'text', text: 'what stands before the session id in the key' },
  'session-attribute': { type: 'string', value: 'name', text: 'attribute that holds the session' },
  'expires-attribute': { type: 'string', value: 'name', text: 'attribute that holds the expiry' },
  format: {
    type: 'string',
    value: 'json|map',
    text: 'how sessions are written; both are read',
    parse: oneOf(['json', 'map'])
  }
}

/** Where the keys are, for the commands that look at no session. */
const { format: _format, 'session-attribute': _session, ...keys } = layout

const rates = {
  rate: {
    type: 'string',
    value: 'n',
    text: 'write units per second at most; one item takes one for each started KB',
    default: "half of the table's provisioned units, else 100",
    parse: positive
  },
  'read-rate': {
    type: 'string',
    value: 'n',
    text: 'read units per second at most, for the scan',
    default: 'unlimited',
    parse: positive
  }
}

const state = {
  type: 'string',
  value: 'file',
  text: 'goes on where the file says, keeps it up to date, and removes it when all is done'
}

/** The long names of the packages, and this package's own, stand for the short ones. */
function layoutName(text, name) {
  const [, short] = /^@?(baseline|pwrdrvr)[-/]/.exec(text) ?? []
  return oneOf(Object.keys(layouts))(text === 'dynamodb-session' ? 'connect-dynamodb' : (short ?? text), name)
}

/** The options by the names of the native face. */
const nativeNames = {
  'hash-key': 'hashKey',
  'sort-key': 'sortKey',
  'session-attribute': 'attributes.session',
  'expires-attribute': 'attributes.expires'
}

/**
 * The settled options of a store for the values of the command line; with `side`, such as `from`, the options of
 * that side take precedence. What to do about a failure is for advice.js to say, in the words of the command line.
 */
function storeOptions(values, side) {
  // Loaded here, since the help needs no addon.
  const { defined, readOptions } = require('../lib/options.js')
  const value = (name) => values[`${side}-${name}`] ?? values[name]
  const name = value('layout') ?? 'connect-dynamodb'
  const { constants, ...preset } = layouts[name]
  const taken = ['table', 'region', 'endpoint', 'profile', 'prefix', 'format'].map((option) => [option, value(option)])
  const given = {
    ...preset,
    ...defined({ ...Object.fromEntries(taken), hashKey: value('hash-key'), sortKey: value('sort-key') }),
    attributes: {
      ...preset.attributes,
      ...defined({ session: value('session-attribute'), expires: value('expires-attribute') })
    }
  }
  const options = readOptions(given, (message) => {
    throw usageError(inWordsOfTheCommandLine(message, values, side))
  })
  return { ...options, ...(constants && { constants }), layout: name, values, side, hints: false }
}

function inWordsOfTheCommandLine(message, values, side) {
  const names = Object.fromEntries(Object.entries(nativeNames).map(([name, native]) => [native, name]))
  return message.replace(/\boption ([\w.]+)/g, (_, native) => {
    const name = names[native] ?? native
    const isOfSide = side !== undefined && (values[`${side}-${name}`] !== undefined || values[name] === undefined)
    return `option --${isOfSide ? `${side}-` : ''}${name}`
  })
}

/** The options under names that begin with a side, such as `--from-table`; some have one name for both sides. */
function sided(side, options) {
  const named = Object.entries(options).map(([name, option]) => [
    `${side}-${name}`,
    shared.includes(name) ? { ...option, default: `--${name}` } : option
  ])
  return Object.fromEntries(named)
}

const shared = ['region', 'endpoint', 'profile']

module.exports = { connection, keys, layout, rates, shared, sided, state, storeOptions }
