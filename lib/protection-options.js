'use strict'

// The options that protect stored sessions: encryption, compression, user, maxLifetime, and hashIds. Loaded if an app sets
// one of them.

const { isUint8Array } = require('node:util/types')
const { DynamoDBStoreError } = require('./error.js')
const { copyOptions } = require('./options.js')

const DEFAULT_REFRESH_AFTER = 300
const LONGEST_REFRESH_AFTER = 2 ** 31 - 1
const KEY_LENGTH = 32
/** The same as in core/src/item/encryption.rs. */
const KEY_ID = /^[\w.:/-]{1,64}$/
/** The names that DynamoDB accepts for an index. */
const INDEX_NAME = /^[\w.-]{3,255}$/
/** 32 bytes in base64 or base64url. */
const KEY_TEXT = /^([A-Za-z0-9+/]{43}=?|[A-Za-z0-9_-]{43}=?)$/

/**
 * Reads the `encryption` option. Returns `{ keys, provide, write, acceptPlain, refreshAfter }`. `keys` is a function that
 * returns the keys in the form of the addon, so that nothing that prints the options prints keys. `provide` is the app's
 * function. One of them is undefined.
 */
function readEncryption(given) {
  const options = copyOptions(typeof given === 'function' ? { keys: given } : given)
  const { keys: source, write = true, acceptPlain = false, refreshAfter = DEFAULT_REFRESH_AFTER, ...others } = options
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw configError(
      `unknown option encryption.${unknown}; the options are keys, write, acceptPlain, and refreshAfter`
    )
  }
  for (const [name, value] of Object.entries({ write, acceptPlain })) {
    if (typeof value !== 'boolean') throw configError(`option encryption.${name} must be true or false`)
  }
  if (typeof refreshAfter !== 'number' || !(refreshAfter > 0 && refreshAfter <= LONGEST_REFRESH_AFTER)) {
    throw configError(
      `option encryption.refreshAfter must be a positive number of seconds, at most ${LONGEST_REFRESH_AFTER}`
    )
  }
  if (!write && options.acceptPlain === false) {
    throw configError('option encryption.acceptPlain cannot be false with write: false, which writes plain sessions')
  }
  const read = { write, acceptPlain: acceptPlain || !write, refreshAfter }
  if (typeof source === 'function') return { ...read, keys: undefined, provide: source }
  if (options.refreshAfter !== undefined) {
    throw configError('option encryption.refreshAfter has no effect unless encryption.keys is a function; leave it out')
  }
  const { keys, problem } = readKeys(source)
  if (problem !== undefined) throw configError(`option encryption.keys ${problem}`)
  return { ...read, keys: () => keys, provide: undefined }
}

/** Reads an array of keys. Returns `{ keys }` in the form of the addon, or `{ problem }`, which contains no part of a key. */
function readKeys(given) {
  if (!Array.isArray(given) || given.length === 0) return { problem: 'must be a non-empty array of { id, key }' }
  const keys = []
  const ids = new Set()
  for (const [i, entry] of given.entries()) {
    const { id, key } = entry ?? {}
    if (typeof id !== 'string' || !KEY_ID.test(id)) {
      return { problem: `has no valid id at [${i}]: use 1 to 64 letters, digits, and _ . : / -` }
    }
    const bytes = bytesOf(key)
    if (bytes === undefined) {
      return { problem: `has no valid key at [${i}]: use ${KEY_LENGTH} random bytes, as a Buffer or in base64` }
    }
    if (ids.has(id)) return { problem: `has the id ${JSON.stringify(id)} twice` }
    ids.add(id)
    keys.push({ id, key: bytes.toString('base64url') })
  }
  return { keys }
}

/** The bytes of a key, or undefined. Not with Buffer.from, which would leave the key in memory that later buffers share. */
function bytesOf(key) {
  const isKey = isUint8Array(key) ? key.length === KEY_LENGTH : typeof key === 'string' && KEY_TEXT.test(key)
  return isKey ? Buffer.alloc(KEY_LENGTH, key, 'base64') : undefined
}

/** Reads the `compression` option. Returns whether to compress. */
function readCompression(given, isEncrypted) {
  const { withEncryption, ...others } = copyOptions(typeof given === 'boolean' ? {} : given)
  if (Object.keys(others).length > 0 || !['boolean', 'undefined'].includes(typeof withEncryption)) {
    throw configError('option compression must be true, false, or { withEncryption: true }')
  }
  const isOn = given !== false
  if (isOn && isEncrypted && withEncryption !== true) {
    throw configError(
      'option compression with option encryption reveals, by the length of a session, whether two texts in it are similar; ' +
        'if users cannot put text next to a secret in a session, set compression: { withEncryption: true }'
    )
  }
  return isOn
}

/** Checks and converts the options in place. */
function readProtection(options) {
  const index = `${options.attributes.user}-index`
  if (options.user !== undefined && !INDEX_NAME.test(index)) {
    throw configError(
      `option attributes.user must consist of letters, digits, and _ . -, because the index has the name ${JSON.stringify(index)}`
    )
  }
  if (options.encryption !== undefined) options.encryption = readEncryption(options.encryption)
  if (options.compression !== undefined) {
    options.compression = readCompression(options.compression, options.encryption !== undefined)
  }
  if (options.format !== 'map') return
  const form = options.encryption?.write ? 'encrypted' : options.compression ? 'compressed' : undefined
  if (form === undefined) return
  const name = form === 'encrypted' ? 'encryption' : 'compression'
  throw configError(
    `option ${name} cannot be combined with format: 'map': ${form === 'encrypted' ? 'an encrypted' : 'a compressed'} session is binary data; leave out option format`
  )
}

/**
 * Throws if the attribute of an option is also that of something else. `readOptions` reports this too, but it does not
 * know the names that a compatible store sets, and such a store only warns.
 */
function requireOwnAttributes({ user, maxLifetime, hashKey, sortKey, attributes, specialKeys, constants }) {
  const specialNames = specialKeys.map(({ name }) => name)
  const constantNames = constants.map(([name]) => name)
  const taken = [hashKey, sortKey, attributes.session, attributes.expires, ...specialNames, ...constantNames]
  const own = [user !== undefined && 'user', maxLifetime !== undefined && 'created'].filter(Boolean)
  for (const option of own) {
    const name = attributes[option]
    if (taken.includes(name))
      throw configError(`option attributes.${option} names the attribute "${name}", which is taken`)
    taken.push(name)
  }
}

/** Warns that the attributes of special keys are not encrypted. */
function warnAboutReadable({ encryption, specialKeys }) {
  if (!encryption?.write || specialKeys.length === 0) return
  const names = specialKeys.map(({ name }) => name).join(', ')
  process.emitWarning(`option specialKeys stores ${names} in attributes of their own, which are not encrypted`, {
    type: 'DynamoDBSessionWarning',
    code: 'DYNAMODB_SESSION_READABLE'
  })
}

/**
 * A function that returns the user of a session as a string, or undefined. It throws an Error with a message for the app.
 */
function userReader(user) {
  const read = typeof user === 'function' ? user : (session) => valueAt(session, user.split('.'))
  return (session) => {
    const value = read(session)
    if (value === undefined || value === null || value === '') return undefined
    // Otherwise, a promise that rejects would end the process.
    if (typeof value.then === 'function') Promise.resolve(value).catch(() => {})
    return userText(value)
  }
}

/** The error of a value that is not a user. Its message does not contain the value. */
class InvalidUser extends TypeError {}

/** The text of a user. */
function userText(user) {
  const isValid = typeof user === 'string' ? user !== '' && user.isWellFormed() : Number.isFinite(user)
  if (!isValid && typeof user !== 'bigint') throw new InvalidUser('the user must be a non-empty string or a number')
  const text = String(user)
  if (Buffer.byteLength(text) > LONGEST_USER) {
    throw new InvalidUser(`the user must not be longer than ${LONGEST_USER} bytes`)
  }
  return text
}

/** The longest partition key of an index, in bytes. */
const LONGEST_USER = 2048

function valueAt(session, path) {
  let value = session
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function configError(message) {
  return new DynamoDBStoreError('ConfigError', message)
}

module.exports = {
  KEY_ID,
  KEY_LENGTH,
  InvalidUser,
  readKeys,
  readProtection,
  requireOwnAttributes,
  userReader,
  userText,
  warnAboutReadable
}
