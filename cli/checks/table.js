'use strict'

const { keyMismatch } = require('../../lib/table-description.js')
const { hintFor, keyHint, suggestedCommand } = require('../hints.js')

/** Checks the table and its key, from the result of DescribeTable. Resolves to whether the table can be used. */
async function checkTable(table, { value, error }, key, report) {
  const { options } = table
  if (error?.code === 'AccessDeniedException') return checkTableByReading(table, key, report)
  if (error !== undefined) {
    report('table', 'failed', error.message, hintFor(error, { command: 'doctor', values: options.values }))
    return false
  }
  const { TableName, TableStatus, ItemCount } = value.Table
  const isUsable = ['ACTIVE', 'UPDATING'].includes(TableStatus)
  if (isUsable) report('table', 'ok', `${TableName} is ${TableStatus}, about ${ItemCount} items`)
  else {
    const hint = `to wait until it is ACTIVE, run: ${suggestedCommand('init', options.values)}`
    report('table', 'failed', `${TableName} is ${TableStatus}`, hint)
  }
  const mismatch = keyMismatch(value.Table, options)
  if (mismatch === undefined) {
    report('keys', 'ok', `${[options.hashKey, options.sortKey].filter(Boolean).join(' and ')} (S)`)
  } else {
    report('keys', 'failed', mismatch.message, keyHint({ values: options.values, mismatch }))
  }
  return isUsable && mismatch === undefined
}

/** Without DescribeTable, which an app does not need, a read shows whether the table and its key are right. */
async function checkTableByReading(table, key, report) {
  const { values } = table.options
  const { error } = await table.tryRequest('GetItem', { Key: key })
  if (error === undefined) {
    report('table', 'ok', 'exists')
    report('keys', 'ok', 'a read with this key works')
    return true
  }
  if (error.code === 'AccessDeniedException') {
    const detail = 'not checked: the IAM policy does not allow dynamodb:DescribeTable, which an app does not need'
    report('table', 'unknown', detail)
    return true
  }
  if (error.code === 'ValidationException') report('keys', 'failed', error.message, keyHint({ values }))
  else report('table', 'failed', error.message, hintFor(error, { command: 'doctor', values }))
  return false
}

async function checkTimeToLive(table, report) {
  const { expires } = table.options.attributes
  const { value, error } = await table.tryRequest('DescribeTimeToLive')
  if (error !== undefined) {
    const isDenied = error.code === 'AccessDeniedException'
    const reason = isDenied ? 'the IAM policy does not allow dynamodb:DescribeTimeToLive' : error.message
    return report('time to live', 'unknown', `not checked: ${reason}`)
  }
  const { TimeToLiveStatus: status, AttributeName: attribute } = value.TimeToLiveDescription ?? {}
  if (!['ENABLED', 'ENABLING'].includes(status)) {
    return report(
      'time to live',
      'failed',
      `${status ?? 'DISABLED'}: expired sessions stay in the table, and you keep paying to store them`,
      `to enable it, run: ${suggestedCommand('init', table.options.values)}`
    )
  }
  if (attribute !== expires) {
    return report(
      'time to live',
      'failed',
      `${status} on the attribute ${attribute}, but sessions expire by ${expires}`,
      `set the store's attributes option to { expires: ${JSON.stringify(attribute)} }, or enable TTL on ${expires} instead`
    )
  }
  return report('time to live', 'ok', `${status} on ${attribute}`)
}

module.exports = { checkTable, checkTimeToLive }
