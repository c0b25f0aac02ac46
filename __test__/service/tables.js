'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

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

module.exports = { sweep }
