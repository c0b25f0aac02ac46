'use strict'

const sinon = require('sinon')
const { entries, exercise } = require('./exercise')

/** Everything that Sinon can replace, which is more than its default. */
const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']
const toFake = [...timers, 'Date', 'performance', 'hrtime', 'nextTick', 'queueMicrotask']

/** The timers of the store itself are real: the timeout for a client's settings, and the offline probes. */
async function exerciseTimers() {
  const { DynamoDBStore } = require('../../..')
  const never = () => new Promise(() => {})
  const withClient = new DynamoDBStore({ client: { send() {}, config: { region: never } }, timeout: 50 })
  const { code: limit } = await withClient.get('id').catch((error) => error)
  const { connection, tables } = JSON.parse(process.env.CONNECTION)
  const options = { ...connection, table: tables['dynamodb-session'], offlineAfter: 1 }
  const offline = new DynamoDBStore({ ...options, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 })
  const disconnected = new Promise((resolve) => offline.once('disconnect', () => resolve(true)))
  await offline.get('id').catch(() => {})
  const disconnect = await disconnected
  await offline.close()
  return { limit, disconnect }
}

/** Exercises the entry points, which are loaded before or after the fake timers are installed. */
async function run(order) {
  if (order === 'before') for (const entry of entries) entry.load()
  const clock = sinon.useFakeTimers({ now: Date.now(), toFake })
  for (const entry of entries) entry.load()
  const timersAfterLoad = clock.countTimers()
  const results = {}
  for (const entry of entries) results[entry.name] = await exercise(entry)
  if (order === 'before') Object.assign(results, await exerciseTimers())
  clock.runAll()
  const timersAfterUse = clock.countTimers()
  clock.restore()
  console.log(JSON.stringify({ results, timersAfterLoad, timersAfterUse }))
}

run(process.argv[2])
