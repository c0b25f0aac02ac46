'use strict'

const { randomUUID } = require('node:crypto')
const { keyMismatch } = require('../../lib/keys.js')
const { adviceFor, adviceOnKeys, isAboutCredentials, reasonOf, suggestion } = require('../advice.js')
const { Table } = require('../table.js')
const { clock } = require('./clock.js')
const { checkPrefix, scanOfKeys } = require('./prefix.js')
const { credentialsSource, endpointOf, regionSource } = require('./settings.js')

/** A doctor waits less than a long copy. */
const limits = { timeout: 10_000, maxAttempts: 2 }

/** The codes of a request that never came to a service. */
const unreachable = ['NetworkError', 'TimeoutError']

/** Checks everything that takes requests. */
async function service({ options, values, tell, reads }) {
  const table = new Table(options, limits)
  const probe = table.keyOf(`dynamodb-session-doctor-${randomUUID()}`)
  const answer = await attempt(() => table.request('DescribeTable'))
  const { error } = answer

  if (error?.code === 'ConfigError') {
    return tell(/region/i.test(error.message) ? 'region' : 'settings', 'failed', error.message, todoAbout(error, table))
  }
  tell('region', 'ok', regionSource(values, options, answer.value))
  const endpoint = endpointOf(values, options)
  if (unreachable.includes(error?.code)) {
    tell('endpoint', 'failed', `${endpoint ?? "the Region's"}: ${inFull(error)}`, todoAbout(error, table))
    return clock(endpoint, tell)
  }
  if (error?.code === 'CredentialsError') {
    tell('endpoint', 'unknown', `${endpoint ?? "the Region's"}: nothing is sent without credentials`)
    tell('credentials', 'failed', inFull(error), todoAbout(error, table))
    return clock(endpoint, tell)
  }
  tell('endpoint', 'ok', `${endpoint ?? "the Region's"} answers`)
  if (error !== undefined && isAboutCredentials(error)) {
    tell('credentials', 'failed', `${credentialsSource(options)}: ${error.message}`, todoAbout(error, table))
    return clock(endpoint, tell)
  }
  tell('credentials', 'ok', credentialsSource(options))
  const isThere = await checkTable(table, answer, probe, tell)
  if (isThere) {
    await checkTimeToLive(table, tell)
    await checkPermissions(table, probe, tell)
    await checkLatency(table, probe, reads, tell)
  }
  return clock(endpoint, tell)
}

/** Tells of the table and its keys; resolves to whether it can be used. */
async function checkTable(table, { value, error }, probe, tell) {
  if (error?.code === 'AccessDeniedException') return checkTableByReading(table, probe, tell)
  if (error !== undefined) {
    tell('table', 'failed', error.message, todoAbout(error, table))
    return false
  }
  const { Table: description } = value
  const { values } = table.options
  const { TableName, TableStatus, ItemCount } = description
  const isUsable = ['ACTIVE', 'UPDATING'].includes(TableStatus)
  if (isUsable) tell('table', 'ok', `${TableName} is ${TableStatus}, about ${ItemCount} items`)
  else
    tell(
      'table',
      'failed',
      `${TableName} is ${TableStatus}`,
      `wait until it is ACTIVE: ${suggestion('init', values)} does`
    )
  const mismatch = keyMismatch(description, table.options)
  const names = [table.options.hashKey, table.options.sortKey].filter(Boolean).join(' and ')
  if (mismatch === undefined) tell('keys', 'ok', `${names} (S)`)
  else tell('keys', 'failed', mismatch.message, adviceOnKeys({ values, mismatch }))
  return isUsable && mismatch === undefined
}

/** An app does without DescribeTable; a read of its key tells enough. */
async function checkTableByReading(table, Key, tell) {
  const { error } = await attempt(() => table.request('GetItem', { Key }))
  const unknown = 'not told: the policy does not allow dynamodb:DescribeTable, which an app does not need'
  if (error === undefined) {
    tell('table', 'ok', 'it is there')
    tell('keys', 'ok', 'a read by them is taken')
    return true
  }
  if (error.code === 'AccessDeniedException') {
    tell('table', 'unknown', unknown)
    return true
  }
  const isKey = error.code === 'ValidationException'
  tell(
    isKey ? 'keys' : 'table',
    'failed',
    error.message,
    isKey ? adviceOnKeys({ values: table.options.values }) : todoAbout(error, table)
  )
  return false
}

async function checkTimeToLive(table, tell) {
  const { expires } = table.options.attributes
  const { value, error } = await attempt(() => table.request('DescribeTimeToLive'))
  if (error !== undefined) {
    const why =
      error.code === 'AccessDeniedException' ? 'the policy does not allow dynamodb:DescribeTimeToLive' : error.message
    return tell('time to live', 'unknown', `not told: ${why}`)
  }
  const { TimeToLiveStatus: status, AttributeName: attribute } = value.TimeToLiveDescription ?? {}
  if (!['ENABLED', 'ENABLING'].includes(status)) {
    return tell(
      'time to live',
      'failed',
      `${status ?? 'DISABLED'}: expired sessions stay in the table, and are paid for`,
      `enable it: ${suggestion('init', table.options.values)}`
    )
  }
  if (attribute !== expires) {
    return tell(
      'time to live',
      'failed',
      `it is on the attribute ${attribute}, and the sessions expire by ${expires}`,
      `set option attributes: { expires: ${JSON.stringify(attribute)} } of the store, or change the time to live to ${expires}`
    )
  }
  return tell('time to live', 'ok', `${status} on ${attribute}`)
}

/** The service looks at the policy before the condition, which never holds. */
const never = {
  ConditionExpression: 'attribute_exists(#key) AND attribute_not_exists(#key)'
}

async function checkPermissions(table, Key, tell) {
  const { hashKey, attributes } = table.options
  const condition = { ...never, ExpressionAttributeNames: { '#key': hashKey } }
  const update = {
    UpdateExpression: 'SET #expires = :now',
    ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
    ExpressionAttributeValues: { ':now': { N: '0' } }
  }
  const requests = {
    GetItem: { Key },
    PutItem: { Item: Key, ...condition },
    UpdateItem: { Key, ...never, ...update },
    DeleteItem: { Key, ...condition }
  }
  for (const [operation, input] of Object.entries(requests)) {
    const { error } = await attempt(() => table.request(operation, input))
    const isAllowed = error === undefined || error.code === 'ConditionalCheckFailedException'
    if (isAllowed) tell(operation, 'ok', 'allowed')
    else if (operation === 'UpdateItem' && error.code === 'AccessDeniedException') {
      tell(operation, 'failed', 'not allowed', `${todoAbout(error, table)}; only Koa and Fastify apps do without`)
    } else if (error.code === 'AccessDeniedException') tell(operation, 'failed', 'not allowed', todoAbout(error, table))
    else tell(operation, 'failed', error.message, todoAbout(error, table))
  }
  const { value, error } = await attempt(() => table.request('Scan', scanOfKeys(table.options)))
  if (error !== undefined) {
    return tell(
      'Scan',
      'unknown',
      `${error.code}: only all(), ids(), length(), clear(), stats, reap and migrate need it`
    )
  }
  tell('Scan', 'ok', 'allowed')
  const keys = value.Items.map((item) => item[hashKey].S)
  checkPrefix(keys, table.options, tell)
}

async function checkLatency(table, Key, reads, tell) {
  const times = []
  for (let i = 0; i < reads; i++) {
    const start = performance.now()
    const { error } = await attempt(() => table.request('GetItem', { Key }))
    // What is wrong with reads has been told.
    if (error !== undefined) return tell('latency', 'unknown', `a read failed: ${error.code}`)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor((times.length - 1) / 2)]
  const isFar = median > 50
  return tell(
    'latency',
    'ok',
    `median ${median.toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms of ${reads} reads`,
    isFar ? 'an app in the Region of the table takes a few milliseconds' : undefined
  )
}

function todoAbout(error, { options: { values } }) {
  return adviceFor(error, { command: 'doctor', values })
}

function inFull(error) {
  const reason = reasonOf(error)
  return reason === undefined ? error.message : `${error.message}: ${reason}`
}

/** What came of it: a value, or the error of the service. */
async function attempt(run) {
  try {
    return { value: await run() }
  } catch (error) {
    if (typeof error.code !== 'string') throw error
    return { error }
  }
}

module.exports = { service }
