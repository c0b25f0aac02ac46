'use strict'

// A run of the tests against DynamoDB itself, with the caller's credentials and Region.
//   DYNAMODB=service npm run test:js
//   SERVICE_RUN           name of the run, which is part of its table names; random by default
//   SERVICE_MAX_REQUESTS  number of requests after which the run is aborted
// When run as a program, this file deletes the tables that a killed run left behind:
//   SERVICE_RUN=<name> node __test__/service/run.js

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const { randomBytes } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { Gateway } = require('./gateway')

const { env } = process

/** Approximate usage of a complete run, measured by the gateway on the in-memory server. */
const expected = { requests: 25_000, readUnits: 12_000, writeUnits: 38_000 }

/** US dollars per million request units of an on-demand table (Standard class, us-east-1). Other Regions cost up to twice as much. */
const prices = { readUnits: 0.125, writeUnits: 0.625 }

function costOf(used) {
  const dollars = Object.entries(prices).reduce((sum, [unit, price]) => sum + (used[unit] * price) / 1e6, 0)
  return `$${dollars.toFixed(3)}`
}

/** Prints the expected cost and starts the gateway. `onLimit` is called when the request limit is reached. */
async function startRun({ onLimit }) {
  const { run, client } = await openRun()
  const limit = Number(env.SERVICE_MAX_REQUESTS || expected.requests * 2)
  if (!Number.isInteger(limit) || limit < 1) throw new Error('SERVICE_MAX_REQUESTS must be a whole number, at least 1')
  const endpoint = env.AWS_ENDPOINT_URL_DYNAMODB ?? client.config.endpointProvider({ Region: run.region }).url
  console.log(`Run ${run.id} uses DynamoDB in ${run.region}, on on-demand tables named ${run.tablePrefix}…`)
  console.log(`It is expected to send about ${expected.requests} requests and to cost about ${costOf(expected)}.`)
  console.log(`It is aborted after ${limit} requests.`)
  console.log(`If this process is killed, delete its tables: SERVICE_RUN=${run.id} node __test__/service/run.js`)

  let isLimitReached = false
  const gateway = await Gateway.start({
    run,
    client,
    endpoint,
    limit,
    onLimit() {
      if (!isLimitReached) onLimit()
      isLimitReached = true
    }
  })
  return {
    shared: {
      connection: {
        endpoint: gateway.endpoint,
        region: run.region,
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' }
      },
      tablePrefix: run.tablePrefix,
      callerEnvironment: Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('AWS_')))
    },
    async close() {
      await gateway.close()
      const swept = await sweep(client, run)
      client.destroy()
      const { requests, tables } = gateway.used
      console.log(
        `Run ${run.id} sent ${requests} requests and created ${tables} tables: about ${costOf(gateway.used)}.`
      )
      console.log(`The tests deleted their tables, except ${swept.length} that were deleted now.`)
      if (isLimitReached) console.log(`The run was aborted: it reached its limit of ${limit} requests.`)
    }
  }
}

async function openRun() {
  const { DynamoDB } = require('@aws-sdk/client-dynamodb')
  const client = new DynamoDB({})
  const region = await client.config.region()
  await client.config.credentials()
  const id = env.SERVICE_RUN ?? randomBytes(4).toString('hex')
  if (!/^[a-z0-9]{4,40}$/i.test(id)) throw new Error('SERVICE_RUN must be 4 to 40 letters or digits')
  const tag = { Key: 'dynamodb-session-test', Value: id }
  return { client, run: { id, region, tag, tablePrefix: `dynamodb-session-test-${id}-` } }
}

/** Deletes the tables of a run, which have its prefix and its tag. Returns their names. */
async function sweep(client, run, { pause = 2000, rounds = 60 } = {}) {
  const swept = new Set()
  for (let round = 1; ; round += 1) {
    const waiting = []
    for (const name of await namesOf(client, run.tablePrefix)) {
      const outcome = await remove(client, run, name)
      if (outcome === 'deleted') swept.add(name)
      if (outcome === 'busy') waiting.push(name)
    }
    if (waiting.length === 0) return [...swept]
    if (round === rounds) throw new Error(`these tables could not be deleted: ${waiting.join(', ')}`)
    // A table that is still being created cannot be deleted, and its tags may not be readable yet.
    await sleep(pause)
  }
}

async function namesOf(client, prefix) {
  const names = []
  let ExclusiveStartTableName
  do {
    const page = await client.listTables({ ExclusiveStartTableName })
    names.push(...page.TableNames.filter((name) => name.startsWith(prefix)))
    ExclusiveStartTableName = page.LastEvaluatedTableName
  } while (ExclusiveStartTableName)
  return names
}

async function remove(client, run, name) {
  try {
    const { Table } = await client.describeTable({ TableName: name })
    if (Table.TableStatus === 'DELETING') return 'gone'
    if (Table.TableStatus !== 'ACTIVE') return 'busy'
    if (!(await hasTag(client, Table.TableArn, run.tag))) return 'foreign'
    await client.deleteTable({ TableName: name })
    return 'deleted'
  } catch ({ name: code, message }) {
    if (code === 'ResourceNotFoundException') return 'gone'
    if (code === 'ResourceInUseException' || code === 'LimitExceededException') return 'busy'
    throw new Error(`${name}: ${message}`)
  }
}

async function hasTag(client, ResourceArn, { Key, Value }) {
  let NextToken
  do {
    const page = await client.listTagsOfResource({ ResourceArn, NextToken })
    if (page.Tags?.some((tag) => tag.Key === Key && tag.Value === Value)) return true
    NextToken = page.NextToken
  } while (NextToken)
  return false
}

async function sweepRun() {
  if (!env.SERVICE_RUN) throw new Error('SERVICE_RUN must name the run whose tables are to be deleted')
  const { client, run } = await openRun()
  console.log(`Deleted tables of run ${run.id}: ${(await sweep(client, run)).length}`)
}

if (require.main === module) sweepRun()

module.exports = { startRun }
