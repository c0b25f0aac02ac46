'use strict'

const { optionsOf, readOptions } = require('../options.js')

/**
 * The options of an original, which is the package that a compatible store replaces, as rows by name. The name of a
 * nested option has a dot: `table.hashKey`. A row may have these members:
 *
 * - `attribute`: the property of the store that shows the value.
 * - `default`: the value of an option that is not set. Without it, the value of the native option.
 * - `keepsNull`: whether `null` is a value. By default, `null` means that the option is not set.
 * - `convert`: a function from the value, or the default, to the attribute.
 * - `native`: the native option that gets the attribute, as a string.
 * - `replaces`: the native option that this one replaces in another way.
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
  // The code is documented, so it keeps its name.
  process.emitWarning(text, { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_FACE' })
}

/**
 * The native options among `given`, with their defaults. Invalid options are ignored with a warning, so that an app
 * that starts with the original also starts with the compatible store.
 */
function nativeOptions(packageName, rows, given) {
  const others = optionsOf(given)
  for (const [name, { isNative }] of Object.entries(rows)) if (!isNative) delete others[name.split('.')[0]]
  const options = readOptions(others, (complaint) => warnOnce(packageName, `${complaint} (ignored)`))
  // readOptions has warned about the options that contradict the client.
  if (options.client !== undefined) for (const name of CLIENT_OPTIONS) delete options[name]
  return options
}

/** The attributes of a store with these options. */
function attributesOf(rows, given, native = { __proto__: null }) {
  const attributes = {}
  for (const [name, row] of Object.entries(rows)) {
    if (row.attribute === undefined) continue
    const value = valueAt(given, name)
    const isSet = value !== undefined && (value !== null || row.keepsNull)
    const used = isSet ? value : (row.default ?? (row.native && valueAt(native, row.native)))
    attributes[row.attribute] = row.convert === undefined ? used : row.convert(used)
  }
  return attributes
}

/** The native options that the attributes replace. An attribute that is undefined leaves the native option. */
function settingsOf(rows, attributes, native) {
  const settings = { ...native, names: namesOf(rows) }
  for (const { attribute, native: name } of Object.values(rows)) {
    if (name === undefined || attributes[attribute] === undefined) continue
    const [option, member] = name.split('.')
    const value = String(attributes[attribute])
    settings[option] = member === undefined ? value : { ...settings[option], [member]: value }
  }
  return settings
}

/** How messages show the native options that the options of the original replace. */
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
  attributesOf,
  nativeOptions,
  optionRows,
  settingsOf,
  validCapacity,
  warnOnce
}
