'use strict'

const { hintFor } = require('../hints.js')
const { checkEncryption } = require('./encryption.js')
const { checkPrefix, sessionSample } = require('./prefix.js')

/** A condition that never holds. DynamoDB checks the IAM policy first, so a write with it only tests the policy. */
const NEVER = 'attribute_exists(#key) AND attribute_not_exists(#key)'

/** Tries each operation. Writes nothing. */
async function checkPermissions(table, key, report) {
  const { hashKey, attributes } = table.options
  const condition = { ConditionExpression: NEVER, ExpressionAttributeNames: { '#key': hashKey } }
  const requests = {
    GetItem: { Key: key },
    PutItem: { Item: key, ...condition },
    UpdateItem: {
      Key: key,
      ConditionExpression: NEVER,
      UpdateExpression: 'SET #expires = :now',
      ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
      ExpressionAttributeValues: { ':now': { N: '0' } }
    },
    DeleteItem: { Key: key, ...condition }
  }
  for (const [operation, input] of Object.entries(requests)) {
    const { error } = await table.tryRequest(operation, input)
    reportPermission(operation, error, table, report)
  }
  await checkScan(table, report)
}

function reportPermission(operation, error, { options: { values } }, report) {
  if (error === undefined || error.code === 'ConditionalCheckFailedException') return report(operation, 'ok', 'allowed')
  const hint = hintFor(error, { command: 'doctor', values })
  if (error.code !== 'AccessDeniedException') return report(operation, 'failed', error.message, hint)
  const exception = operation === 'UpdateItem' ? 'unless this is a Koa or Fastify app, ' : ''
  return report(operation, 'failed', 'not allowed', exception + hint)
}

/** Also checks the prefix and the encryption, with the items that the Scan returns. */
async function checkScan(table, report) {
  const { value, error } = await table.tryRequest('Scan', sessionSample(table.options))
  if (error !== undefined) {
    const users = 'all(), ids(), length(), clear(), and the commands stats, reap, migrate, and rewrite'
    report('Scan', 'unknown', `${error.code}: only ${users} need it`)
    if (table.options.encryption !== undefined) report('encryption', 'unknown', 'not checked: this check needs Scan')
    return
  }
  report('Scan', 'ok', 'allowed')
  const sessions = value.Items.map((item) => table.decode(item))
  const ids = sessions.map(({ id }) => id).filter((id) => id !== undefined)
  checkPrefix(ids, table.options, report)
  if (table.options.encryption === undefined) return
  checkEncryption(sessions, value.LastEvaluatedKey === undefined, table.options, report)
}

module.exports = { checkPermissions }
