'use strict'

const { CommandError, usageError } = require('../error.js')
const { connection, keys, storeOptions } = require('../options.js')
const { count } = require('../parse.js')

const on = ['ENABLED', 'ENABLING']

const command = {
  summary: 'create the table, enable its time to live, and wait until it can be used',
  description: `
The table is on demand unless --read or --write is given. A table that is there is kept: its keys are
checked, and its time to live is enabled if it is off. So the command can run before every deployment.`,
  options: {
    ...connection,
    ...keys,
    read: { type: 'string', value: 'units', text: 'provisioned read units', parse: count },
    write: { type: 'string', value: 'units', text: 'provisioned write units', parse: count },
    tag: {
      type: 'string',
      value: 'key=value',
      multiple: true,
      text: 'tag of a new table; may be given often',
      parse: tag
    },
    'no-ttl': { type: 'boolean', text: 'leave the time to live as it is: expired sessions stay in the table' },
    'dry-run': { type: 'boolean', text: 'only tell what would be done' }
  },
  examples: ['init --table sessions --region eu-central-1', 'init --table sessions --layout baseline --tag team=web'],

  async run({ values, output }) {
    const { Sessions } = require('../../lib/sessions.js')
    const { newTableOf } = require('../../lib/options.js')
    const { keyMismatch } = require('../../lib/keys.js')
    const { Table, wrongKeys } = require('../table.js')
    const options = storeOptions(values)
    const newTable = newTableOf({
      ...(values.read && { readCapacityUnits: values.read }),
      ...(values.write && { writeCapacityUnits: values.write }),
      ttl: !values['no-ttl'],
      tags: Object.fromEntries(values.tag ?? [])
    })
    const sessions = new Sessions({ ...options, newTable }, () => {})
    const found = await sessions.describeTable().catch((error) => {
      if (error.code !== 'ResourceNotFoundException') throw error
    })
    const done = []
    if (values['dry-run'] && found === undefined) {
      done.push('would be created')
      return output.result({ table: options.table, created: false, dryRun: true, done }, [`${options.table}: ${done}`])
    }
    const mismatch = found && keyMismatch(found, options)
    if (mismatch) throw wrongKeys(mismatch, options)
    let table = found
    // Creation waits also for a table that another has begun to create.
    if (found?.TableStatus !== 'ACTIVE' && !values['dry-run']) table = await sessions.createTable()
    if (found === undefined) done.push('created')
    const enabling =
      !values['no-ttl'] && (await enableTimeToLive(table, options, new Table(options), values['dry-run']))
    if (enabling) done.push(enabling)
    if (found !== undefined) done.push(...differences(table, values))
    const told = await report(sessions, table, values)
    output.result({ ...told, created: found === undefined, ...(values['dry-run'] && { dryRun: true }), done }, [
      `table         ${told.table}, ${told.status}${done.length > 0 ? ` (${done.join('; ')})` : ' (as it was)'}`,
      `arn           ${told.arn}`,
      `key           ${told.key.join(', ')}`,
      `capacity      ${told.billingMode === 'PROVISIONED' ? `${told.readUnits} read and ${told.writeUnits} write units` : 'on demand'}`,
      `time to live  ${told.timeToLive.status}${told.timeToLive.attribute ? ` on ${told.timeToLive.attribute}` : ''}`
    ])
  }
}

/** Makes the time to live right; resolves to what it did, if it did something. */
async function enableTimeToLive(found, { attributes, table }, requests, isDryRun) {
  if (found.TimeToLiveDescription === undefined) return 'its time to live cannot be looked at, and was left'
  const { TimeToLiveStatus: status, AttributeName: attribute } = found.TimeToLiveDescription
  if (on.includes(status) && attribute === attributes.expires) return undefined
  if (on.includes(status)) {
    throw new CommandError(`the time to live of the table ${table} is on ${attribute}, not on ${attributes.expires}`, {
      code: 'WrongTimeToLive',
      todo: `give --expires-attribute ${attribute} and the same name to the store, or switch it off and run this again an hour later`
    })
  }
  if (status === 'DISABLING') {
    throw new CommandError(`the time to live of the table ${table} is being disabled`, {
      code: 'WrongTimeToLive',
      todo: 'run this again when that is done, which may take an hour'
    })
  }
  if (isDryRun) return 'the time to live would be enabled'
  await requests.request('UpdateTimeToLive', {
    TimeToLiveSpecification: { AttributeName: attributes.expires, Enabled: true }
  })
  return 'the time to live was off and is enabled now'
}

/** What was asked for and is not changed on a table that is there. */
function differences(table, { read, write, tag: tags }) {
  const { ReadCapacityUnits, WriteCapacityUnits } = table.ProvisionedThroughput ?? {}
  const isOther = (read && read !== ReadCapacityUnits) || (write && write !== WriteCapacityUnits)
  return [
    ...(isOther ? ['its capacity is another one, and was left'] : []),
    ...(tags ? ['its tags were left as they are'] : [])
  ]
}

async function report(sessions, known, values) {
  const table = values['dry-run'] ? known : await sessions.describeTable()
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
    }
  }
}

function tag(text, name) {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined) throw usageError(`${name} must be of the form key=value, not ${text}`)
  return [key, value]
}

module.exports = command
