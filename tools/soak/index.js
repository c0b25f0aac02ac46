'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { parseArgs } = require('node:util')
const { RawClient } = require('../../__test__/support/raw-client')
const { FaultProxy } = require('../../__test__/support/fault-proxy')
const { RandomJSON } = require('../../__test__/support/random-json')
const { startServer } = require('../../__test__/support/server')
const { RandomFaults } = require('./faults')
const { User } = require('./user')

const TABLE = 'soak'
const LONGEST_PAUSE = 1000
/** Memory and handles are measured between rounds, while no user sends requests. */
const ROUNDS = 8
const WARM_UP = 1

const limits = { touchAfter: 0, maxConnections: 20, connectTimeout: 500, attemptTimeout: 1000, timeout: 4000 }

/**
 * Runs an Express app and its users under random faults. The app has two processes, of which the first is measured. Passes
 * a line to `log` after each round.
 */
async function soak({ minutes, users: count = 200, seed, log }) {
  const server = await startServer()
  const raw = new RawClient(server.connection)
  await raw.createTable(TABLE)
  const proxy = await FaultProxy.start(server.connection.endpoint)
  const options = { ...server.connection, ...limits, table: TABLE, endpoint: proxy.endpoint }
  const apps = await Promise.all([startApp(options), startApp(options)])
  const urls = apps.map(({ url }) => url)
  const users = Array.from({ length: count }, (_, i) => new User(urls, `user-${i}`, new RandomJSON(seed + i + 1)))
  const faults = new RandomFaults(proxy, new RandomJSON(seed))
  const measures = []
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const end = Date.now() + (minutes * 60_000) / ROUNDS
      await Promise.all(users.map((user, i) => useUntil(end, user, new RandomJSON(seed - round * count - i))))
      if (apps.some((app) => app.hasEnded())) throw new Error('the app has ended')
      measures.push(await apps[0].measure())
      log(lineOf(round, measures.at(-1), users))
    }
  } finally {
    faults.stop()
    for (const app of apps) app.close()
    await proxy.close()
    raw.close()
    await server.close()
  }
  const { stats } = measures.at(-1)
  return {
    seed,
    faults: faults.count,
    responses: sum(users, 'responses'),
    failures: sum(users, 'failures'),
    violations: users.flatMap((user) => user.violations),
    reads: stats.operations.GetItem,
    backupReads: stats.backupReads,
    merges: stats.merges,
    conflicts: stats.conflicts,
    before: least(measures.slice(WARM_UP, WARM_UP + 2)),
    after: least(measures.slice(-2))
  }
}

async function useUntil(end, user, random) {
  await sleep(random.below(LONGEST_PAUSE))
  while (Date.now() < end) {
    await user.act()
    await sleep(random.below(LONGEST_PAUSE))
  }
}

async function startApp(options) {
  const env = { ...process.env, OPTIONS: JSON.stringify(options) }
  const child = fork(path.join(__dirname, 'app.js'), { env, execArgv: ['--expose-gc'] })
  const nextMessage = async () => (await once(child, 'message'))[0]
  return {
    url: await nextMessage(),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    measure() {
      child.send('measure')
      return nextMessage()
    },
    close: () => child.disconnect()
  }
}

function lineOf(round, { rss, heap, handles, files, inFlight, stats }, users) {
  const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1)
  const memory = `rss ${megabytes(rss)} MB, heap ${megabytes(heap)} MB, ${handles} handles, ${files} files`
  const { retries, backupReads, throttles, merges, missing, pool } = stats
  const attempts = `retries ${retries}, backup reads ${backupReads}, throttles ${throttles}, merges ${merges}, missing ${missing}`
  const store = `${attempts}, in flight ${inFlight}, pool ${pool.open}`
  const seen = `${sum(users, 'responses')} responses, ${sum(users, 'failures')} failures`
  return `round ${round} of ${ROUNDS}: ${seen}; ${memory}; ${store}`
}

/** The minimum of each figure. A leak shows in every measurement, and uncollected garbage only in some. */
function least(measures) {
  const names = ['rss', 'heap', 'handles', 'files', 'inFlight']
  return Object.fromEntries(names.map((name) => [name, Math.min(...measures.map((measure) => measure[name]))]))
}

function sum(users, member) {
  return users.reduce((total, user) => total + user[member], 0)
}

/** Garbage that is not collected yet accounts for this much growth. */
const TOLERANCE = 1.05
/** The number of handles varies by a few. A leak would show as thousands. */
const FEW = 5
/** The share of reads that may have a backup read, because their connection may be dead. */
const BACKUP_RATE = 0.001

/** Returns what is wrong with the outcome of a soak test, one line for each problem. */
function problemsOf({ violations, responses, failures, reads, backupReads, merges, conflicts, before, after }) {
  const problems = violations.slice(0, 20)
  for (const name of ['rss', 'heap']) {
    if (after[name] > before[name] * TOLERANCE) problems.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  for (const name of ['handles', 'files']) {
    if (after[name] > before[name] + FEW) problems.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  if (backupReads > reads * BACKUP_RATE) problems.push(`${backupReads} of ${reads} reads had a backup`)
  if (merges === 0) problems.push('no save was merged')
  if (conflicts > 0) problems.push(`${conflicts} conflicts, although parallel requests change different fields`)
  if (after.inFlight > 0) problems.push(`${after.inFlight} operations never ended`)
  if (failures === 0 || failures > responses / 4) problems.push(`${failures} of ${responses} responses were errors`)
  return problems
}

async function main() {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' }, users: { type: 'string' } }
  const { minutes = 10, seed = Date.now() % 2 ** 31, users = 200 } = parseArgs({ options }).values
  console.log(`seed ${seed}`)
  const outcome = await soak({ minutes: Number(minutes), seed: Number(seed), users: Number(users), log: console.log })
  const problems = problemsOf(outcome)
  for (const problem of problems) console.error(problem)
  console.log(`${outcome.responses} responses, ${outcome.faults} faults, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

if (require.main === module) main()

module.exports = { problemsOf, soak }
