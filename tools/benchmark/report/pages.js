'use strict'

const { contenders } = require('../contenders')
const { SHOWN } = require('./charts')
const { described, short, table } = require('./format')
const { Medians } = require('./medians')
const { tablesOf } = require('./tables')
const { targetsTable } = require('./targets')

const INTRODUCTION = `How many pages can one Node.js process serve when each page needs a session, and what does the session store cost it? Each
store runs in the same Express app, with its default settings and sessions of 2 KB. The DynamoDB of the benchmark is a small
server on the same machine that responds from memory, and Redis runs on the same machine too. In production, DynamoDB takes
milliseconds and Redis less than one. What carries over is the CPU time, which limits how many pages a process can serve.
Compare the stores with each other, because absolute numbers differ between machines.`

const METHOD = `- Each store runs in a process of its own. The stores take turns (A B C A B C) for ROUNDS rounds. A figure is the median of
  the rounds, followed by their minimum and maximum in parentheses where these differ. Only ratios within one run carry over
  to other machines.
- The servers \`http\` and \`https\` are a single-threaded program on the loopback interface that responds from memory and
  validates nothing. \`2ms\` delays each response by 2 ms. \`embedded\` is the in-memory DynamoDB that the tests use. All of
  them share the machine with the stores.
- connect-redis uses a Redis server on the loopback interface that writes nothing to disk. Its tables are those of \`http\`.
- "main thread" and "process" are the CPU time of one operation or request in µs. "boundary only" passes the session to the
  addon and back, with JSON but without a request.
- A "save" is the \`set\` of a session that express-session has read and the app has changed. This store writes it only if no
  other request has changed it. A "set" is of a session that the store has not read, which it writes in any case.
- The other stores are set up as their READMEs recommend, with keep-alive connections, and without the table check where
  it can be turned off. connect-redis 9 expects the client of node-redis, so a small adapter translates its calls for ioredis.
  In the tables of operations, every store sends every touch. In the apps and in the cost table, each store throttles touches
  as its README or its defaults say. The lean JavaScript client sends no touches in the apps.
- Another process loads the apps over 32 connections. "delay p99" is the 99th percentile of the event-loop delay.
- On one core, \`taskset\` pins the app to a core, and the load and the servers to a second core. The runtime thread is the one
  on which the addon sends its requests. The switches are its context switches per request: it waits for work (voluntary), or
  another thread takes its core (involuntary).
- A cold start is a process from its start to its first session. The bare process only loads express-session.
- The memory of an idle store is what each of 200 more stores adds to a process, after each has written and read a session. The
  memory for 1,000 concurrent gets is the growth of a process at its peak, while all of them are in progress.
- The cost is that of users who log in and view 20 pages, one minute apart. Every tenth page changes a session of 2 KB. The
  capacity units are those that the in-memory DynamoDB of the tests reports.`

/** report.md: one table and the charts. */
function pageOf(results, charts) {
  const { machine, notes, seconds, targets } = results
  const reached = targets.filter((target) => target.reached).length
  const measured = targets.filter((target) => target.reached !== null).length
  return pageFrom([
    '# Benchmark report',
    INTRODUCTION,
    ...charts.map(([file, title]) => `![${title}](${file})`),
    mainTable(results),
    'A page reads the session. The main thread is the one that runs your code. The process includes it and all other threads.',
    '## Targets',
    `This run reaches ${reached} of ${measured} targets. [All tables](tables.md) are on their own page, with the targets and the method.`,
    `The run took ${Math.round(seconds / 60)} minutes. ${described(machine)}.`,
    ...notes
  ])
}

/** The most important figures of each store. Leaves out what was not measured. */
function mainTable(results) {
  const of = new Medians(results)
  const columns = [
    ['Express pages/s', (name) => of.app(name, 'requestsPerSecond')],
    ['main thread, µs/page', (name) => of.app(name, 'main')],
    ['process, µs/page', (name) => of.app(name, 'cpu')],
    ['pages/s on one core', (name) => of.oneCore(name, 'requestsPerSecond')],
    ['one get, p50 µs', (name) => of.call(name, 'p50', { operation: 'get', inFlight: 1 })],
    ['KB per idle store', (name) => of.store(name, 'idle')],
    ['MB for 1,000 concurrent gets', (name) => of.store(name, 'concurrent')]
  ].filter(([, read]) => SHOWN.some((name) => read(name) !== undefined))
  const inExpress = SHOWN.filter((name) => of.app(name, 'main') !== undefined)
  const format = (figure) => (figure === undefined ? '–' : short(figure))
  const rows = inExpress.map((name) => [contenders[name].title, ...columns.map(([, read]) => format(read(name)))])
  return table(['', ...columns.map(([head]) => head)], rows)
}

/** tables.md: everything that was measured. */
function tablesPageOf(results) {
  return pageFrom([
    '# Benchmark tables',
    `The figures behind the [benchmark report](report.md). ${described(results.machine)}.`,
    '## Targets',
    targetsTable(results.targets),
    '## Method',
    METHOD.replace('ROUNDS', results.rounds),
    ...tablesOf(results).map(([title, text]) => `## ${title}\n\n${text}`)
  ])
}

const pageFrom = (parts) => `${parts.join('\n\n')}\n`

const ORIGINALS = ['connect-dynamodb', 'pwrdrvr', 'dynamodb-store', 'koa-session-dynamodb-store']

const rounded = (figure) => Number(figure.toPrecision(3)).toLocaleString('en-US')

/** What the README shows of a full run. */
function readmePart(results) {
  const of = new Medians(results)
  const figureOf = (name, figure) => of.call(name, figure, { operation: 'get' })
  const rangeOf = (figure) => {
    const figures = ORIGINALS.map((name) => figureOf(name, figure)).filter(Number.isFinite)
    return `${rounded(Math.min(...figures))} to ${rounded(Math.max(...figures))}`
  }
  return `![Gets per second of this store, other session stores, and MemoryStore](tools/benchmark/results/get.svg)

With 2 KB sessions and 64 requests in progress, one process reads ${rounded(figureOf('dynamodb-session', 'opsPerSecond'))} sessions per second and
spends ${rounded(figureOf('dynamodb-session', 'main'))} µs of main-thread CPU time on each. The other DynamoDB stores read ${rangeOf('opsPerSecond')} and spend
${rangeOf('main')} µs. The benchmark uses an in-memory server on the same machine instead of DynamoDB, so throughput with a real
table differs. What carries over is the difference in CPU time per read. See the
[benchmark report](tools/benchmark/results/report.md).`
}

module.exports = { pageOf, readmePart, tablesPageOf }
