'use strict'

const { contenders } = require('../contenders')
const { described } = require('./machine')
const { table } = require('./table')

const SHOWN = [
  'dynamodb-session',
  'connect-dynamodb',
  'pwrdrvr',
  'dynamodb-store',
  'koa-session-dynamodb-store',
  'lean'
]

const number = (figure, digits = 3) => (figure ? Number(figure[0].toPrecision(digits)).toLocaleString('en-US') : '–')

/** What the README shows of a full run. */
function readmePart(results) {
  const find = (list, wanted) =>
    list.find((each) => Object.entries(wanted).every(([name, value]) => each[name] === value))
  const cell = { server: 'http', operation: 'get', size: 2048 }
  const busy = find(results.calls.cells, { ...cell, inFlight: 64 }).contenders
  const alone = find(results.calls.cells, { ...cell, inFlight: 1 }).contenders
  const start = find(results.cold, { server: 'https', credentials: 'environment' }).contenders
  const app = find(results.apps, { framework: 'express', page: 'read' }).contenders
  const rows = SHOWN.map((name) => [
    contenders[name].title,
    number(busy[name]?.opsPerSecond),
    number(busy[name]?.main),
    number(busy[name]?.cpu),
    number(alone[name]?.p50),
    number(app[name]?.requestsPerSecond),
    number(start[name]?.sinceStart && [start[name].sinceStart[0] - start.bare.sinceStart[0]])
  ])
  const head = ['', 'gets/s', 'main µs', 'process µs', 'p50 µs', 'requests/s', 'cold start ms']
  return [
    table(head, rows),
    `Sessions of 2 KB. Gets per second with 64 in flight, and the CPU time of each on the main thread and in the process;
median latency with one in flight; requests per second of an Express app that reads the session (${inMemory(app)});
what a process takes longer to its first session, over TLS, than a bare one.`,
    '![gets per second](tools/benchmark/results/get.svg)',
    '![requests per second of an Express app](tools/benchmark/results/express.svg)',
    `Medians of ${results.rounds} interleaved rounds of one run of \`npm run bench\`, on a server in memory on the same machine:
${described(results.machine)}.
Only the ratios mean something elsewhere. [The whole report](tools/benchmark/results/report.md) has the method and all figures.`
  ].join('\n\n')
}

function inMemory(app) {
  return `MemoryStore: ${number(app.memory?.requestsPerSecond)}`
}

module.exports = { readmePart }
