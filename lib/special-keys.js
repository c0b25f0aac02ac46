'use strict'

const { plainJson } = require('./json.js')

/** The format and the range of DynamoDB's numbers. */
const DIGITS = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const SMALLEST = 1e-130
const LARGEST = 1e126

/** The session's fields that are stored in their own attributes, as a JSON object of attribute values. */
function specialAttributes(specialKeys, session) {
  const attributes = Object.create(null)
  for (const { name, type } of specialKeys) {
    const value = session[name]
    // Values that JSON omits do not become attributes. The key of an index cannot be empty.
    if (['undefined', 'function', 'symbol'].includes(typeof value) || value === null || value === '') continue
    const attribute = converters[type](value, name)
    if (attribute !== '') attributes[name] = { [type]: attribute }
  }
  return plainJson(attributes)
}

const converters = {
  S(value, name) {
    if (typeof value === 'object' && !(value instanceof Date)) throw mismatch(name, 'be a string')
    const text = value instanceof Date ? value.toISOString() : String(value)
    if (!text.isWellFormed()) throw mismatch(name, 'be well-formed Unicode')
    return text
  },
  N(value, name) {
    const isNumeric = ['number', 'bigint'].includes(typeof value) || (typeof value === 'string' && DIGITS.test(value))
    const size = Math.abs(Number(value))
    if (!isNumeric || (size !== 0 && !(size >= SMALLEST && size < LARGEST))) {
      throw mismatch(name, 'be a number in the range of DynamoDB')
    }
    return String(value)
  },
  BOOL(value, name) {
    if (typeof value !== 'boolean') throw mismatch(name, 'be true or false')
    return value
  },
  B(value, name) {
    const bytes = bytesOf(value)
    if (bytes === undefined) throw mismatch(name, 'be binary data or a string')
    return bytes.toString('base64')
  },
  NULL(value, name) {
    if (value !== true) throw mismatch(name, 'be true')
    return true
  },
  L(value, name) {
    if (!Array.isArray(value)) throw mismatch(name, 'be a list of attribute values')
    return value.map((attribute) => attributeValue(attribute, name))
  },
  M(value, name) {
    const entries = Object.entries(value).map(([field, attribute]) => [field, attributeValue(attribute, name)])
    return Object.fromEntries(entries)
  },
  SS: setOf('S'),
  NS: setOf('N'),
  BS: setOf('B')
}

/** The bytes of a string, of binary data, or of a Buffer that was serialized to JSON with its session. */
function bytesOf(value) {
  if (typeof value === 'string') return Buffer.from(value)
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data) : undefined
}

function setOf(type) {
  return (value, name) => {
    const members = value instanceof Set ? [...value] : value
    if (!Array.isArray(members) || members.length === 0) throw mismatch(name, 'be a non-empty set')
    return members.map((member) => converters[type](member, name))
  }
}

/** An attribute value in the format of the AWS SDK, such as `{ S: 'text' }`. */
function attributeValue(attribute, name) {
  const [[type, value] = []] = Object.entries(attribute ?? {})
  if (!Object.hasOwn(converters, type)) throw mismatch(name, 'contain attribute values')
  return { [type]: converters[type](value, name) }
}

function mismatch(name, requirement) {
  return new TypeError(`special key ${name} must ${requirement}`)
}

/** All types. DynamoDBStore supports only those that a secondary index or a filter can use. */
const attributeTypes = Object.keys(converters)

module.exports = { attributeTypes, specialAttributes }
