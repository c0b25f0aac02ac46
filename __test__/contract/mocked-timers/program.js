'use strict'

// A program that uses the entry points while another library has replaced the timers, and prints the results.
//   node program.js sinon before|after
//   node program.js zone

const [library, order] = process.argv.slice(2)
// It replaces globals, so it comes before everything else.
if (library === 'zone') require('zone.js/node')
const { connection, entries, exercise, tables } = require('./exercise')

/** Everything that Sinon can replace, which is more than its default. */
const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']
const toFake = [...timers, 'Date', 'performance', 'hrtime', 'nextTick', 'queueMicrotask']

/** The timers of the store itself are real: the timeout for a client's settings, and the offline probes. */
async function exerciseTimers() {
  const { DynamoDBStore } = require('../../..')
  const never = () => new Promise(() => {})
  const withClient = new DynamoDBStore({ client: { send() {}, config: { region: never } }, timeout: 50 })
  const { code: limit } = await withClient.get('id').catch((error) => error)
  const options = { ...connection, table: tables['dynamodb-session'], offlineAfter: 1 }
  const offline = new DynamoDBStore({ ...options, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 })
  const disconnected = new Promise((resolve) => offline.once('disconnect', () => resolve(true)))
  await offline.get('id').catch(() => {})
  const disconnect = await disconnected
  await offline.close()
  return { limit, disconnect }
}

/** The entry points are loaded before or after the fake timers of Sinon are installed. */
async function runWithSinon() {
  if (order === 'before') for (const entry of entries) entry.load()
  const sinon = require('sinon')
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

/** The entry points are loaded and used in a zone of zone.js. */
async function runInZone() {
  // Each change of whether the zone has pending timers, which Angular's testability waits for.
  const tasks = []
  const zone = Zone.current.fork({
    name: 'app',
    onHasTask: (_delegate, _current, _target, { change, macroTask }) => change === 'macroTask' && tasks.push(macroTask)
  })
  for (const entry of entries) zone.run(() => entry.load())
  const results = {}
  for (const entry of entries) results[entry.name] = await zone.run(() => exercise(entry))
  console.log(JSON.stringify({ results, tasks }))
}

if (library === 'zone') runInZone()
else runWithSinon()
