'use strict'

const layouts = require('../lib/compat/layouts.js')
const { usageError } = require('./error.js')
const { readKeyFile } = require('./key-file.js')
const { oneOf, positiveNumber, userPath } = require('./parse.js')

// Options that several commands have, in the form that parse.js and help.js read.

const connectionOptions = {
  table: { type: 'string', placeholder: 'name', description: 'Name or ARN of the table', default: 'sessions' },
  region: {
    type: 'string',
    placeholder: 'region',
    description: 'AWS Region',
    default: 'from the environment or the profile'
  },
  endpoint: { type: 'string', placeholder: 'url', description: 'URL of the service, for example of DynamoDB Local' },
  profile: { type: 'string', placeholder: 'name', description: 'Profile in the shared AWS config files' }
}

const layoutNames =
  'connect-dynamodb (or dynamodb-session, which has the same layout), dynamodb-store, koa-session-dynamodb-store, ' +
  'baseline (@baseline-dev/koa-session-dynamodb-store), or pwrdrvr (@pwrdrvr/dynamodb-session-store)'

/** `effect` says what the layout sets. */
function layoutOption(effect) {
  return {
    type: 'string',
    placeholder: 'name',
    description: `Package whose items the table holds: ${layoutNames}. Sets ${effect}`,
    default: 'connect-dynamodb',
    parse: parseLayout
  }
}

const layoutOptions = {
  layout: layoutOption('the defaults of the key, prefix, attribute, and format options'),
  'hash-key': { type: 'string', placeholder: 'name', description: 'Attribute that is the partition key' },
  'sort-key': { type: 'string', placeholder: 'name', description: 'Attribute that is the sort key' },
  prefix: { type: 'string', placeholder: 'text', description: 'Prefix of the session ID in the key' },
  'session-attribute': { type: 'string', placeholder: 'name', description: 'Attribute that holds the session' },
  'expires-attribute': { type: 'string', placeholder: 'name', description: 'Attribute that holds the expiry' },
  format: {
    type: 'string',
    placeholder: 'json|map',
    description: 'Format in which sessions are written; both formats can be read',
    parse: oneOf(['json', 'map'])
  },
  'hash-ids': { type: 'boolean', description: 'The app has the hashIds option: keys contain a hash of the session ID' }
}

/** For commands that read sessions. */
const keysOption = {
  type: 'string',
  placeholder: 'file',
  description: 'File with the encryption keys of the app, as the command keys writes it, or - for standard input'
}

/** Somebody who can write to the table can plant a plain session. Encrypted, the app would accept it. */
const acceptPlainOption = {
  type: 'boolean',
  description: 'Also encrypt plain sessions: only while the app accepts them, with acceptPlain or write: false'
}

/** For commands that write sessions in a form. */
const formOptions = {
  keys: keysOption,
  compress: { type: 'boolean', description: 'Compress sessions where that saves a write capacity unit' },
  user: {
    type: 'string',
    placeholder: 'path',
    description: 'Path of the user in the session, such as passport.user, as in the user option of the store',
    parse: userPath
  }
}

/** For commands that only read sessions. */
const { format: _format, ...readLayoutOptions } = {
  ...layoutOptions,
  layout: layoutOption('the defaults of the key, prefix, and attribute options')
}

/** For commands that do not look at sessions. */
const { 'session-attribute': _session, ...keyOptions } = {
  ...readLayoutOptions,
  layout: layoutOption('the defaults of the key, prefix, and expiry options')
}

/** An option that has no effect on a command. The command accepts it, so that scripts can pass the same options to all. */
function hidden(option) {
  return { ...option, isHidden: true }
}

const rateOptions = {
  rate: {
    type: 'string',
    placeholder: 'n',
    description: 'Maximum write capacity units per second; an item costs one unit per KB, rounded up',
    default: "half of the table's provisioned units, or 100",
    parse: positiveNumber
  },
  'read-rate': {
    type: 'string',
    placeholder: 'n',
    description: 'Maximum read capacity units per second of the scan',
    default: 'unlimited',
    parse: positiveNumber
  }
}

const stateOption = {
  type: 'string',
  placeholder: 'file',
  description: 'Checkpoint file: resume from it, keep it up to date, and delete it when the command completes'
}

const yesOption = { type: 'boolean', short: 'y', description: 'Do not ask for confirmation' }

/** Also accepts the full names of the packages, and the name of this package. */
function parseLayout(text, name) {
  const [, short] = /^@?(baseline|pwrdrvr)[-/]/.exec(text) ?? []
  return oneOf(Object.keys(layouts))(text === 'dynamodb-session' ? 'connect-dynamodb' : (short ?? text), name)
}

/** Options of migrate that exist for each side and also for both sides. */
const sharedBySides = ['region', 'endpoint', 'profile']

/** The options of one side of migrate, such as `--from-table`. */
function optionsOfSide(side, { table, ...options }) {
  const description = `Name or ARN of the ${side === 'from' ? 'source' : 'target'} table`
  const entries = Object.entries({ table: { ...table, description }, ...options }).map(([name, option]) => [
    `${side}-${name}`,
    sharedBySides.includes(name) ? { ...option, default: `--${name}` } : option
  ])
  return Object.fromEntries(entries)
}

/** Store options whose names differ from those of the command line. */
const storeOptionNames = {
  hashKey: 'hash-key',
  hashIds: 'hash-ids',
  'attributes.user': 'user-attribute',
  sortKey: 'sort-key',
  'attributes.session': 'session-attribute',
  'attributes.expires': 'expires-attribute'
}

/**
 * The complete options of a store, from the options of the command line. With `side` (`from` or `to`), the options of
 * that side take precedence. `writes` says whether the command writes sessions, in the form that the options require.
 */
function storeOptions(values, side, { writes = side === 'to' } = {}) {
  // Loaded here because the help must work without the addon.
  const { readOptions, withoutUndefined } = require('../lib/options.js')
  const value = (name) => values[`${side}-${name}`] ?? values[name]
  const layout = value('layout') ?? 'connect-dynamodb'
  const { constants, format: layoutFormat, ...preset } = layouts[layout]
  const protection = protectionOf(value, writes)
  if (protection.form !== undefined && value('format') === 'map') {
    throw usageError(`--format map cannot be combined with ${protection.form} sessions, which are binary data`)
  }
  const sameNames = ['table', 'region', 'endpoint', 'profile', 'prefix', 'format']
  const given = {
    ...preset,
    ...withoutUndefined({
      ...Object.fromEntries(sameNames.map((name) => [name, value(name)])),
      hashKey: value('hash-key'),
      sortKey: value('sort-key'),
      hashIds: value('hash-ids'),
      ...protection.options
    }),
    attributes: {
      ...preset.attributes,
      ...withoutUndefined({
        session: value('session-attribute'),
        expires: value('expires-attribute'),
        user: value('user-attribute')
      })
    }
  }
  const options = readOptions(given, (message) => {
    throw usageError(withCommandLineNames(message, values, side))
  })
  // The hints of this tool replace those of the store, which name the store's options.
  // A session that is not compressed has the format of the layout, as in the compatible stores.
  const format = value('format') ?? layoutFormat ?? options.format
  const acceptsPlain = value('accept-plain') === true
  return { ...options, format, ...(constants && { constants }), layout, values, side, acceptsPlain, hints: false }
}

/** The options that protect sessions, and the form in which they are written, unless it is plain. */
function protectionOf(value, writes) {
  const [file, compresses] = [value('keys'), writes && value('compress')]
  const encrypts = writes && file !== undefined && !value('decrypt')
  return {
    form: encrypts ? 'encrypted' : compresses ? 'compressed' : undefined,
    options: {
      ...(file !== undefined && { encryption: { keys: readKeyFile(file), write: encrypts } }),
      ...(compresses && { compression: file === undefined ? true : { withEncryption: true } }),
      // The index does not depend on how the app finds the user of a session.
      user: value('user') ?? (value('user-index') ? 'user' : undefined)
    }
  }
}

/** Replaces the names of store options in a message: `option hashKey` becomes `option --hash-key`. */
function withCommandLineNames(message, values, side) {
  return message.replace(/\boption ([\w.]+)/g, (_, storeName) => {
    const name = storeOptionNames[storeName] ?? storeName
    const isOfSide = side !== undefined && (values[`${side}-${name}`] !== undefined || values[name] === undefined)
    return `option --${isOfSide ? `${side}-` : ''}${name}`
  })
}

module.exports = {
  acceptPlainOption,
  connectionOptions,
  formOptions,
  hidden,
  keyOptions,
  keysOption,
  layoutOption,
  layoutOptions,
  optionsOfSide,
  rateOptions,
  readLayoutOptions,
  sharedBySides,
  stateOption,
  storeOptions,
  yesOption
}
