'use strict'

const sinon = require('sinon')
const { entries, exercise } = require('./exercise')

/** All that Sinon can replace, which is more than it replaces by default. */
const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']
const toFake = [...timers, 'Date', 'performance', 'hrtime', 'nextTick', 'queueMicrotask']

/** What takes time in the store itself goes on with real timers: the limit for a client's settings, and probes. */
async function exerciseTimers() {
  const { DynamoDBStore } = require('../../..')
  const never = () => new Promise(() => {})
  const withClient = new DynamoDBStore({ client: { send() {}, config: { region: never } }, timeout: 50 })
  const { code: limit } = await withClient.get('id').catch((error) => error)
  const { connection, tables } = JSON.parse(process.env.PLACE)
  const options = { ...connection, table: tables['dynamodb-session'], offlineAfter: 1 }
  const offline = new DynamoDBStore({ ...options, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 })
  const disconnected = new Promise((resolve) => offline.once('disconnect', () => resolve(true)))
  await offline.get('id').catch(() => {})
  const disconnect = await disconnected
  await offline.close()
  return { limit, disconnect }
}

/** Exercises the entry points with fake timers, before or after they are loaded. */
async function run(order) {
  if (order === 'loaded first') for (const entry of entries) entry.load()
  const clock = sinon.useFakeTimers({ now: Date.now(), toFake })
  for (const entry of entries) entry.load()
  const timersAfterLoad = clock.countTimers()
  const results = {}
  for (const entry of entries) results[entry.name] = await exercise(entry)
  if (order === 'loaded first') Object.assign(results, await exerciseTimers())
  clock.runAll()
  const timersInTheEnd = clock.countTimers()
  clock.restore()
  console.log(JSON.stringify({ results, timersAfterLoad, timersInTheEnd }))
}

run(process.argv[2])
