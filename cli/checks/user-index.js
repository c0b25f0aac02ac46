'use strict'

const { hintFor, suggestedCommand } = require('../hints.js')
const { findIndex, indexKeyHint, indexKeyMismatch } = require('../user-index.js')

/** Checks the index of the users. `description` is the table's, or undefined if the policy does not allow DescribeTable. */
async function checkUserIndex(table, index, description, report) {
  if (description !== undefined && !checkDescription(description, index, table.options, report)) return
  const { error } = await table.tryRequest('Query', {
    IndexName: index.name,
    KeyConditionExpression: '#user = :user',
    ExpressionAttributeNames: { '#user': index.attribute },
    ExpressionAttributeValues: { ':user': { S: 'dynamodb-session-doctor' } },
    Limit: 1
  })
  if (description === undefined) reportWithoutDescription(error, index, report)
  if (error === undefined) return report('Query', 'ok', 'allowed')
  const hint = hintFor(error, { command: 'doctor', values: table.options.values })
  return report('Query', 'failed', error.code === 'AccessDeniedException' ? 'not allowed' : error.message, hint)
}

/** Returns whether the index can be queried. */
function checkDescription(description, index, { values }, report) {
  const fail = (detail, hint) => {
    report('user index', 'failed', detail, hint)
    return false
  }
  const init = suggestedCommand('init', values)
  const found = findIndex(description, index)
  if (found === undefined) {
    return fail(`the table does not have the index ${index.name}`, `to add it, run: ${init}`)
  }
  const mismatch = indexKeyMismatch(description, index)
  if (mismatch !== undefined) return fail(mismatch, indexKeyHint)
  const { IndexStatus: status, Projection } = found
  if (status !== 'ACTIVE') {
    return fail(`${index.name} is ${status}`, `to wait until it is ACTIVE, run: ${init}`)
  }
  const projection = Projection?.ProjectionType
  if (projection === 'KEYS_ONLY') report('user index', 'ok', `${index.name} is ACTIVE`)
  else {
    report(
      'user index',
      'warning',
      `${index.name} has the projection ${projection}: a write of a session, or only of its expiry, can also cost a write of the index`,
      'to save that cost, delete the index, and create it again with the projection KEYS_ONLY'
    )
  }
  return true
}

function reportWithoutDescription(error, { name }, report) {
  const isThere = error === undefined ? `${name} exists; its projection was ` : ''
  report('user index', 'unknown', `${isThere}not checked: the IAM policy does not allow dynamodb:DescribeTable`)
}

module.exports = { checkUserIndex }
