'use strict'

const { copyOptions, readOptions } = require('../options.js')

/**
 * The options of the replaced package, by name. The name of a nested option has a dot: `table.hashKey`. A row may have
 * these members:
 *
 * - `property`: the property of the store that shows the value.
 * - `default`: the value of an option that is not set. Without it, the value of the native option.
 * - `keepsNull`: whether `null` is a value. By default, `null` means that the option is not set.
 * - `convert`: a function from the value, or the default, to the property.
 * - `native`: the native option that gets the property, as a string.
 * - `replaces`: the native option that this option stands for in messages, if the store converts it elsewhere.
 * - `shown`: how messages show the option. Default: its name.
 * - `isNative`: whether it is also read and checked as the native option of the same name.
 */
function optionRows(rows) {
  // Members that a library adds to Object.prototype are not members of a row.
  for (const row of Object.values(rows)) Object.setPrototypeOf(row, null)
  return rows
}

const DEFAULT_CAPACITY = 5

/** Options that a JavaScript client replaces. */
const CLIENT_OPTIONS = ['region', 'endpoint', 'profile', 'credentials']

const warned = new Set()

/** Emits a warning about a compatible store, once per process. */
function warnOnce(packageName, message) {
  const text = `${packageName}: ${message}`
  if (warned.has(text)) return
  warned.add(text)
  // The warning code predates the term compatible store. It is documented, so it stays.
  process.emitWarning(text, { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_FACE' })
}

/**
 * The native options among `given`, with their defaults. Invalid options are ignored with a warning, so that an app
 * that starts with the replaced package also starts with the compatible store.
 */
function nativeOptions(packageName, rows, given) {
  const others = copyOptions(given)
  for (const [name, { isNative }] of Object.entries(rows)) if (!isNative) delete others[name.split('.')[0]]
  // The replaced packages overwrite.
  others.onConflict ??= 'overwrite'
  const options = readOptions(others, (complaint) => warnOnce(packageName, `ignored an option: ${complaint}`))
  if (options.onConflict !== others.onConflict) options.onConflict = 'overwrite'
  // readOptions has warned about the options that contradict the client.
  if (options.client !== undefined) for (const name of CLIENT_OPTIONS) delete options[name]
  return options
}

/** The properties of a store with these options. */
function propertiesOf(rows, given, native = { __proto__: null }) {
  const properties = {}
  for (const [name, row] of Object.entries(rows)) {
    if (row.property === undefined) continue
    const value = valueAt(given, name)
    const isSet = value !== undefined && (value !== null || row.keepsNull)
    const used = isSet ? value : (row.default ?? (row.native && valueAt(native, row.native)))
    properties[row.property] = row.convert === undefined ? used : row.convert(used)
  }
  return properties
}

/** The native options after the properties replace them. An undefined property leaves the native option unchanged. */
function settingsOf(rows, properties, native) {
  const settings = { ...native, names: namesOf(rows) }
  for (const { property, native: name } of Object.values(rows)) {
    if (name === undefined || properties[property] === undefined) continue
    const [option, member] = name.split('.')
    const value = String(properties[property])
    settings[option] = member === undefined ? value : { ...settings[option], [member]: value }
  }
  return settings
}

/** The names that messages use for native options. */
function namesOf(rows) {
  const names = {}
  for (const [name, { native, replaces = native, shown = name }] of Object.entries(rows)) {
    if (replaces !== undefined) names[replaces] = shown
  }
  return names
}

function valueAt(options, name) {
  const [option, member] = name.split('.')
  return member === undefined ? options[option] : options[option]?.[member]
}

/** Capacity units that DynamoDB accepts. Invalid ones are replaced by the default, with a warning. */
function validCapacity(packageName, option, units) {
  if (Number.isSafeInteger(units) && units >= 1) return units
  warnOnce(packageName, `option ${option} must be a whole number of at least 1; using ${DEFAULT_CAPACITY}`)
  return DEFAULT_CAPACITY
}

module.exports = {
  DEFAULT_CAPACITY,
  propertiesOf,
  nativeOptions,
  optionRows,
  settingsOf,
  validCapacity,
  warnOnce
}
