'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { CommandError, exitCodes, usageError } = require('./error.js')
const { elapsedLine } = require('./progress.js')
const { listenForInterrupt } = require('./terminal.js')

// The secondary index that finds the sessions of a user.

const userAttributeOption = {
  type: 'string',
  placeholder: 'name',
  description: 'Attribute that holds the user; its index is named <name>-index',
  default: 'user',
  parse: parseUserAttribute
}

const userIndexOptions = {
  'user-index': { type: 'boolean', description: 'Include the secondary index that finds the sessions of a user' },
  'user-attribute': userAttributeOption
}

/** The first and the longest pause between two status checks, in milliseconds. */
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 5000

/** The name and the attribute of the index. */
function userIndexOf({ 'user-attribute': attribute = 'user' }) {
  return { name: `${attribute}-index`, attribute }
}

/** The index, or undefined without --user-index. */
function userIndexIfSet(values) {
  if (values['user-index']) return userIndexOf(values)
  if (values['user-attribute'] !== undefined && values.user === undefined) {
    throw usageError('--user-attribute requires --user-index')
  }
  return undefined
}

/** The service's description of the index, or undefined if the table does not have it. */
function findIndex({ GlobalSecondaryIndexes = [] }, { name }) {
  return GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === name)
}

/** How the key of the table's index differs from the expected one, or undefined if it does not. */
function indexKeyMismatch(table, index) {
  const { KeySchema } = findIndex(table, index)
  const typeOf = (name) =>
    table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? 'S'
  const found = KeySchema.map(({ AttributeName }) => `${AttributeName} (${typeOf(AttributeName)})`).join(' and ')
  const expected = `${index.attribute} (S)`
  return found === expected ? undefined : `the key of the index ${index.name} is ${found}, not ${expected}`
}

const indexKeyHint =
  'delete the index and create it again, or use --user-attribute with a different name, and the same name in the attributes.user option of the store'

/** Throws if the table's index has a different key. */
function requireIndexKey(table, index) {
  const mismatch = indexKeyMismatch(table, index)
  if (mismatch === undefined) return
  throw new CommandError(`${mismatch} (table ${table.TableName})`, { code: 'WrongIndex', hint: indexKeyHint })
}

/**
 * Adds the index to an existing table if it is missing, and waits until it is ACTIVE. `description` is the service's
 * description of the table. Resolves to a list of what was done.
 */
async function ensureIndex(table, description, index, { isDryRun, output }) {
  const isMissing = findIndex(description, index) === undefined
  if (isMissing && isDryRun) return [`index ${index.name} would be added`]
  if (isDryRun) return []
  if (isMissing) await table.request('UpdateTable', additionOf(description, index))
  await waitForIndex(table, index, output)
  return isMissing ? [`index ${index.name} added`] : []
}

/** The input of UpdateTable. The index gets the provisioned capacity of the table. */
function additionOf({ ProvisionedThroughput, BillingModeSummary }, { name, attribute }) {
  const { ReadCapacityUnits, WriteCapacityUnits } = ProvisionedThroughput ?? {}
  const isProvisioned = ReadCapacityUnits > 0 && BillingModeSummary?.BillingMode !== 'PAY_PER_REQUEST'
  const index = {
    IndexName: name,
    KeySchema: [{ AttributeName: attribute, KeyType: 'HASH' }],
    Projection: { ProjectionType: 'KEYS_ONLY' },
    ...(isProvisioned && { ProvisionedThroughput: { ReadCapacityUnits, WriteCapacityUnits } })
  }
  return {
    AttributeDefinitions: [{ AttributeName: attribute, AttributeType: 'S' }],
    GlobalSecondaryIndexUpdates: [{ Create: index }]
  }
}

/** Waits until the index is ACTIVE. DynamoDB first copies the keys of all items, which can take hours. */
async function waitForIndex(table, index, output) {
  let status = await statusOf(table, index)
  if (status === 'ACTIVE') return
  output.note(
    `waiting until the index ${index.name} is ACTIVE, which takes minutes, or longer for a large table; Ctrl-C ends only the waiting`
  )
  const { signal, release } = listenForInterrupt()
  const hideProgress = output.showProgress(elapsedLine(() => `index ${index.name} is ${status}`))
  try {
    for (let pause = FIRST_PAUSE; status !== 'ACTIVE'; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await sleep(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) throw interruptedError(index, status)
      status = await statusOf(table, index)
    }
  } finally {
    hideProgress()
    release()
  }
}

/** The status of the index while it is being created, and afterward. */
async function statusOf(table, index) {
  const description = await table.describe()
  const found = findIndex(description, index)
  if (found !== undefined && found.IndexStatus !== 'DELETING') return found.IndexStatus
  throw new CommandError(`the index ${index.name} of the table ${description.TableName} is being deleted`, {
    code: 'WrongIndex',
    hint: 'run this command again when that is complete'
  })
}

function interruptedError({ name }, status) {
  return new CommandError(`interrupted: the index ${name} is ${status}`, {
    exitCode: exitCodes.interrupted,
    code: 'Interrupted',
    hint: 'DynamoDB continues; to wait again, run the same command'
  })
}

function parseUserAttribute(text, name) {
  if (/^[\w.-]{1,249}$/.test(text)) return text
  throw usageError(
    `${name} must have 1 to 249 characters: a-z, A-Z, 0-9, _, -, and ., because its index is named after it`
  )
}

module.exports = {
  ensureIndex,
  findIndex,
  indexKeyHint,
  indexKeyMismatch,
  requireIndexKey,
  userAttributeOption,
  userIndexIfSet,
  userIndexOf,
  userIndexOptions,
  waitForIndex
}
