'use strict'

/**
 * How the key in a response of DescribeTable differs from the key in a store's options; undefined if it does not.
 * `names` are the attributes of the table's key.
 */
function keyMismatch({ TableName, KeySchema, AttributeDefinitions = [] }, { hashKey, sortKey }) {
  if (KeySchema === undefined) return undefined
  const typeOf = (name) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? 'S'
  const names = ['HASH', 'RANGE'].flatMap((kind) =>
    KeySchema.filter(({ KeyType }) => KeyType === kind).map(({ AttributeName }) => AttributeName)
  )
  const wanted = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
  const areStrings = names.every((name) => typeOf(name) === 'S')
  if (areStrings && names.join('\0') === wanted.join('\0')) return undefined
  const found = names.map((name) => `${name} (${typeOf(name)})`).join(' and ')
  const expected = wanted.map((name) => `${name} (S)`).join(' and ')
  return { message: `the key of the table ${TableName} is ${found}, not ${expected}`, names, areStrings }
}

/** The message of an error about the difference, with what to do about it; undefined if there is no difference. */
function keyMismatchMessage(description, options) {
  const mismatch = keyMismatch(description, options)
  if (mismatch === undefined) return undefined
  const { message, names, areStrings } = mismatch
  if (!areStrings) return `${message}. Use another table: the key of a session table must be of type S (string)`
  const [hashKey, sortKey] = names.map((name) => JSON.stringify(name))
  const rest =
    sortKey === undefined
      ? options.sortKey === undefined
        ? ''
        : ' and leave out sortKey'
      : ` and sortKey to ${sortKey}`
  return `${message}. Set option hashKey to ${hashKey}${rest}, or use another table`
}

/** A table description from the completion of an operation, with the table's time to live if the service reports it. */
function tableDescription({ text }) {
  const [table, timeToLive] = JSON.parse(text)
  return { ...parseResponse(table).Table, ...(timeToLive === null ? {} : JSON.parse(timeToLive)) }
}

/** A response of the service with its times as Dates. */
function parseResponse(text) {
  return JSON.parse(text, (name, value) => (name.endsWith('DateTime') ? new Date(value * 1000) : value))
}

module.exports = { keyMismatch, keyMismatchMessage, parseResponse, tableDescription }
