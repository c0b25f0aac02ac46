'use strict'

/** What DynamoDB reads as a number, and the sizes that it holds. */
const DIGITS = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const SMALLEST = 1e-130
const LARGEST = 1e126

/** The session's fields that have attributes of their own, as a JSON object of attribute values, or null. */
function specialAttributes(specialKeys, session) {
  if (specialKeys.length === 0) return null
  const attributes = Object.create(null)
  for (const { name, type } of specialKeys) {
    const value = session[name]
    if (value !== undefined && value !== null) attributes[name] = { [type]: converters[type](value, name) }
  }
  return JSON.stringify(attributes)
}

const converters = {
  S(value, name) {
    if (typeof value === 'object' && !(value instanceof Date)) throw mismatch(name, 'a string')
    const text = value instanceof Date ? value.toISOString() : String(value)
    if (!text.isWellFormed()) throw mismatch(name, 'well-formed Unicode')
    return text
  },
  N(value, name) {
    const isNumeric = ['number', 'bigint'].includes(typeof value) || (typeof value === 'string' && DIGITS.test(value))
    const size = Math.abs(Number(value))
    if (!isNumeric || (size !== 0 && !(size >= SMALLEST && size < LARGEST))) {
      throw mismatch(name, 'a number that DynamoDB holds')
    }
    return String(value)
  },
  BOOL(value, name) {
    if (typeof value !== 'boolean') throw mismatch(name, 'true or false')
    return value
  },
  B(value, name) {
    if (typeof value !== 'string' && !ArrayBuffer.isView(value)) throw mismatch(name, 'binary or a string')
    const bytes =
      typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return bytes.toString('base64')
  }
}

function mismatch(name, expected) {
  return new TypeError(`the special key ${name} is not ${expected}`)
}

module.exports = { specialAttributes }
