'use strict'

/** The JSON value of an attribute value: binary as of a Buffer, sets, which have no order, as sorted arrays. */
function fromAttribute(attribute) {
  const [[type, value]] = Object.entries(attribute)
  return readers[type](value)
}

const bytesOf = (base64) => Buffer.from(base64, 'base64').toJSON()

const readers = {
  S: (text) => text,
  N: Number,
  BOOL: (value) => value,
  NULL: () => null,
  B: bytesOf,
  L: (list) => list.map(fromAttribute),
  M: (map) => Object.fromEntries(Object.entries(map).map(([name, value]) => [name, fromAttribute(value)])),
  SS: (list) => list.toSorted(),
  NS: (list) => list.map(Number).toSorted((a, b) => a - b),
  BS: (list) => list.toSorted().map(bytesOf)
}

/** The attribute value of a JSON value. */
function toAttribute(value) {
  if (value === null) return { NULL: true }
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (Array.isArray(value)) return { L: value.map(toAttribute) }
  return { M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toAttribute(member)])) }
}

/**
 * Bytes of an item as DynamoDB counts them
 * (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
 */
function sizeOfItem(item) {
  let bytes = 0
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + sizeOf(value)
  return bytes
}

const CONTAINER = 3
const ELEMENT = 1

function sizeOf(attribute) {
  const [[type, value]] = Object.entries(attribute)
  const sum = (values, size) => values.reduce((bytes, each) => bytes + size(each), 0)
  if (type === 'L') return CONTAINER + sum(value, (element) => ELEMENT + sizeOf(element))
  if (type === 'M') return CONTAINER + Object.keys(value).length * ELEMENT + sizeOfItem(value)
  if (type.length === 2) return sum(value, (member) => sizeOfScalar(type[0], member))
  return sizeOfScalar(type, value)
}

function sizeOfScalar(type, value) {
  if (type === 'S') return Buffer.byteLength(value)
  if (type === 'B') return Buffer.byteLength(value, 'base64')
  // Two digits take a byte, and the number one more.
  if (type === 'N') return Math.ceil(value.replace(/e.*$|\D/gi, '').length / 2) + 1
  return 1
}

module.exports = { fromAttribute, sizeOfItem, toAttribute }
