'use strict'

const { CommandError, usageError } = require('../error.js')
const { connectionOptions, hidden, keyOptions, layoutOption, storeOptions } = require('../options.js')
const { positiveInteger } = require('../parse.js')
const { elapsedLine } = require('../progress.js')
const {
  ensureIndex,
  findIndex,
  requireIndexKey,
  userIndexIfSet,
  userIndexOptions,
  waitForIndex
} = require('../user-index.js')

module.exports = {
  summary: 'Create the table, enable time to live (TTL), and wait until it is active',
  description: `
Creates an on-demand table, or a provisioned table if you set --read or --write. If the table already exists, the
command checks its key, enables TTL if it is off, and changes nothing else. You can run it before every deployment.
Costs no capacity units.

--user-index includes the secondary index that an app with the user option needs. If the table already exists without
the index, the command adds it and waits until it is active. Each session that has a user then costs one write capacity
unit of the index, once.`,
  options: {
    ...connectionOptions,
    ...keyOptions,
    'hash-ids': hidden(keyOptions['hash-ids']),
    layout: layoutOption('the defaults of the key and expiry options'),
    prefix: hidden(keyOptions.prefix),
    read: {
      type: 'string',
      placeholder: 'units',
      description: 'Provisioned read capacity units',
      parse: positiveInteger
    },
    write: {
      type: 'string',
      placeholder: 'units',
      description: 'Provisioned write capacity units',
      parse: positiveInteger
    },
    tag: {
      type: 'string',
      placeholder: 'key=value',
      multiple: true,
      description: 'Tag for a new table; can be repeated',
      parse: parseTag
    },
    ...userIndexOptions,
    'no-ttl': { type: 'boolean', description: 'Do not enable TTL: expired sessions stay in the table' },
    'dry-run': { type: 'boolean', description: 'Only print what would be done' }
  },
  examples: [
    'init --table sessions --region eu-central-1',
    'init --table sessions --layout baseline --tag team=web',
    'init --table sessions --user-index'
  ],

  async run({ values, output }) {
    const { Sessions } = require('../../lib/sessions.js')
    const { Table } = require('../table.js')
    const options = storeOptions(values)
    const userIndex = userIndexIfSet(values)
    const sessions = new Sessions({ ...options, newTable: newTableFrom(values) }, () => {})
    const client = new Table(options)
    const isDryRun = values['dry-run'] === true
    const found = await describeIfExists(sessions)
    if (isDryRun && found === undefined) {
      const done = [`would be created${userIndex === undefined ? '' : ` with the index ${userIndex.name}`}`]
      return output.result({ table: options.table, created: false, dryRun: true, done }, [`${options.table}: ${done}`])
    }
    requireExpectedKey(found, options)
    const hasIndex = found !== undefined && userIndex !== undefined && findIndex(found, userIndex) !== undefined
    if (hasIndex) requireIndexKey(found, userIndex)

    const done = []
    let table = found
    // Adding an index takes longer than createTable waits for a table that is being created or changed.
    if (hasIndex && !isDryRun) await waitForIndex(client, userIndex, output)
    if (found?.TableStatus !== 'ACTIVE' && !isDryRun) table = await createTable(sessions, options, output)
    if (found === undefined) done.push('created')
    if (!values['no-ttl']) done.push(...(await enableTimeToLive(client, table, isDryRun)))
    if (found !== undefined) done.push(...ignoredSettings(found, values))
    if (userIndex !== undefined) done.push(...(await ensureIndex(client, table, userIndex, { isDryRun, output })))

    const summary = summaryOf(isDryRun ? table : await sessions.describeTable(), userIndex)
    const result = { ...summary, created: found === undefined, ...(isDryRun && { dryRun: true }), done }
    return output.result(result, formatSummary(summary, done))
  }
}

function newTableFrom(values) {
  const { newTableOf } = require('../../lib/options.js')
  return newTableOf({
    ...(values.read && { readCapacityUnits: values.read }),
    ...(values.write && { writeCapacityUnits: values.write }),
    ttl: !values['no-ttl'],
    tags: Object.fromEntries(values.tag ?? [])
  })
}

/** Creates the table if it does not exist, and waits until it is ACTIVE. */
async function createTable(sessions, { table }, output) {
  const hideProgress = output.showProgress(elapsedLine(() => `waiting until the table ${table} is ACTIVE`))
  return sessions.createTable().finally(hideProgress)
}

async function describeIfExists(sessions) {
  try {
    return await sessions.describeTable()
  } catch (error) {
    if (error.code === 'ResourceNotFoundException') return undefined
    throw error
  }
}

function requireExpectedKey(table, options) {
  const { keyMismatch } = require('../../lib/table-description.js')
  const { wrongKeyError } = require('../table.js')
  const mismatch = table && keyMismatch(table, options)
  if (mismatch) throw wrongKeyError(mismatch, options)
}

/** Enables TTL if it is off. Resolves to a list of what was done. */
async function enableTimeToLive(client, found, isDryRun) {
  const { attributes, table } = client.options
  if (found.TimeToLiveDescription === undefined) return ['TTL not changed: could not be read']
  const { TimeToLiveStatus: status, AttributeName: attribute } = found.TimeToLiveDescription
  const isOn = ['ENABLED', 'ENABLING'].includes(status)
  if (isOn && attribute === attributes.expires) return []
  if (isOn) {
    throw new CommandError(`TTL on table ${table} uses attribute ${attribute}, not ${attributes.expires}`, {
      code: 'WrongTimeToLive',
      hint: `use --expires-attribute ${attribute}, and the same name in the store; or disable TTL and run this command again an hour later`
    })
  }
  if (status === 'DISABLING') {
    throw new CommandError(`TTL on table ${table} is being disabled`, {
      code: 'WrongTimeToLive',
      hint: 'run this command again when that is complete, which can take an hour'
    })
  }
  if (isDryRun) return ['TTL would be enabled']
  await client.request('UpdateTimeToLive', {
    TimeToLiveSpecification: { AttributeName: attributes.expires, Enabled: true }
  })
  return ['TTL was off and has been enabled']
}

/** The settings that apply only to a new table. */
function ignoredSettings(table, { read, write, tag }) {
  const { ReadCapacityUnits, WriteCapacityUnits } = table.ProvisionedThroughput ?? {}
  const differs = (read && read !== ReadCapacityUnits) || (write && write !== WriteCapacityUnits)
  return [...(differs ? ['capacity not changed: it differs'] : []), ...(tag ? ['tags not changed'] : [])]
}

function summaryOf(table, userIndex) {
  const { ReadCapacityUnits, WriteCapacityUnits } = table.ProvisionedThroughput ?? {}
  const isProvisioned = ReadCapacityUnits > 0 && table.BillingModeSummary?.BillingMode !== 'PAY_PER_REQUEST'
  return {
    table: table.TableName,
    arn: table.TableArn,
    status: table.TableStatus,
    key: table.KeySchema.map(({ AttributeName }) => AttributeName),
    billingMode: isProvisioned ? 'PROVISIONED' : 'PAY_PER_REQUEST',
    ...(isProvisioned && { readUnits: ReadCapacityUnits, writeUnits: WriteCapacityUnits }),
    timeToLive: {
      status: table.TimeToLiveDescription?.TimeToLiveStatus ?? 'UNKNOWN',
      attribute: table.TimeToLiveDescription?.AttributeName ?? null
    },
    ...(userIndex && { userIndex: { ...userIndex, status: findIndex(table, userIndex)?.IndexStatus ?? null } })
  }
}

function formatSummary(summary, done) {
  const { table, arn, status, key, billingMode, readUnits, writeUnits, timeToLive, userIndex } = summary
  const isProvisioned = billingMode === 'PROVISIONED'
  return [
    `table         ${table}, ${status} (${done.length > 0 ? done.join('; ') : 'unchanged'})`,
    `arn           ${arn}`,
    `key           ${key.join(', ')}`,
    `capacity      ${isProvisioned ? `${readUnits} read and ${writeUnits} write capacity units` : 'on demand'}`,
    `time to live  ${timeToLive.status}${timeToLive.attribute ? ` on ${timeToLive.attribute}` : ''}`,
    ...(userIndex ? [`user index    ${userIndex.name}, ${userIndex.status ?? 'missing'}`] : [])
  ]
}

function parseTag(text, name) {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined) throw usageError(`${name} must have the form key=value, not ${text}`)
  return [key, value]
}
