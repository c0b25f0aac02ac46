'use strict'

const { contenders } = require('../contenders')
const { described, short, table } = require('./format')

const kilobytes = (size) => `${size / 1024} KB`

const TITLES = { bare: 'bare Node.js with express-session', warm: 'dynamodb-session after `warm`' }
const titleOf = (name) => contenders[name]?.title ?? TITLES[name]

/** The median with the minimum and maximum of the rounds: `12.3 (11.9–13.0)`. */
function spread(figure, scale = 1) {
  if (!figure) return '–'
  const [median, minimum, maximum] = figure.map((number) => short(number / scale))
  return minimum === maximum ? median : `${median} (${minimum}–${maximum})`
}

function ratio(figure, base) {
  return figure && base ? short(figure[0] / base[0]) : '–'
}

/** The title and the table of each part that was measured. */
function tablesOf(results) {
  const parts = []
  if (results.calls) parts.push(...results.calls.cells.map(tableOfCell))
  if (results.apps) parts.push(...results.apps.map(tableOfApp))
  if (results.oneCore) parts.push(tableOfOneCore(results.oneCore))
  if (results.cold) parts.push(...results.cold.map(tableOfColdStart))
  if (results.warm) parts.push(tableOfWarm(results.warm))
  if (results.memory) parts.push(tableOfMemory(results.memory), tableOfStores(results.memory.stores))
  if (results.calls) parts.push(tableOfPeaks(results.calls))
  if (results.cost) parts.push(tableOfCost(results.cost))
  if (results.size) parts.push(tableOfSize(results.size))
  return parts.filter(Boolean)
}

function rowsOf(figures, row) {
  return Object.entries(figures)
    .filter(([, figure]) => Object.keys(figure).length > 0)
    .map(([name, figure]) => [titleOf(name), ...row(figure)])
}

function tableOfCell({ server, operation, size, inFlight, contenders: figures }) {
  const base = figures['connect-dynamodb']
  const rows = rowsOf(figures, ({ opsPerSecond, p50, p99, main, cpu }) => [
    spread(opsPerSecond),
    ratio(opsPerSecond, base?.opsPerSecond),
    spread(p50),
    spread(p99),
    spread(main),
    spread(cpu)
  ])
  const head = ['', 'operations/s', 'vs. connect-dynamodb', 'p50 µs', 'p99 µs', 'main thread µs', 'process µs']
  return [`${operation}, ${kilobytes(size)}, ${inFlight} in flight, ${server}`, table(head, rows)]
}

function tableOfApp({ framework, page, contenders: figures }) {
  const base = figures.memory ?? figures['koa-memory']
  const rows = rowsOf(figures, ({ requestsPerSecond, p50, p99, delay, main, runtime, cpu }) => [
    spread(requestsPerSecond),
    ratio(requestsPerSecond, base?.requestsPerSecond),
    spread(p50, 1000),
    spread(p99, 1000),
    spread(delay),
    spread(main),
    ratio(main, base?.main),
    spread(runtime),
    spread(cpu)
  ])
  const inMemory = `vs. ${framework === 'koa' ? 'Map' : 'MemoryStore'}`
  const times = ['p50 ms', 'p99 ms', 'delay p99 ms', 'main µs', inMemory, 'runtime thread µs', 'process µs']
  const head = ['', 'requests/s', inMemory, ...times]
  return [`${framework} app: pages that ${page} the session`, table(head, rows)]
}

function tableOfOneCore({ contenders: figures }) {
  const columns = ['requestsPerSecond', 'main', 'runtime', 'cpu', 'voluntary', 'involuntary']
  const rows = rowsOf(figures, (figure) => columns.map((name) => spread(figure[name])))
  const head = [
    '',
    'requests/s',
    'main µs',
    'runtime thread µs',
    'process µs',
    'voluntary switches',
    'involuntary switches'
  ]
  return ['Express app on one core: pages that read the session', table(head, rows)]
}

function tableOfWarm(figures) {
  const rows = rowsOf(figures, ({ first, second }) => [spread(first), spread(second)])
  return ['First gets over TLS of a process', table(['', 'first get ms', 'second get ms'], rows)]
}

function tableOfColdStart({ server, credentials, contenders: figures }) {
  const bare = figures.bare.sinceStart
  const rows = rowsOf(figures, ({ sinceStart, loading }) => [
    spread(sinceStart),
    short(sinceStart[0] - bare[0]),
    spread(loading)
  ])
  const from = credentials === 'file' ? 'a file' : 'the environment'
  const head = ['', 'first session ms', 'over bare Node.js', 'require and construction ms']
  return [`Cold start, ${server}, credentials from ${from}`, table(head, rows)]
}

function tableOfMemory({ idle, growing, operations, course, growth }) {
  const rows = rowsOf(idle, ({ memory }) => [spread(memory), short(memory[0] - idle.bare.memory[0])])
  const after = `\n\n${titleOf(growing)} after each tenth of ${operations} operations: ${course.join(', ')} MB. Growth: ${growth} MB.`
  return ['Memory of an idle process', table(['', 'MB', 'over bare Node.js'], rows) + after]
}

function tableOfStores(figures) {
  if (!figures) return undefined
  const rows = rowsOf(figures, ({ idle, concurrent }) => [spread(idle), spread(concurrent)])
  return ['Memory of stores', table(['', 'KB per idle store', 'MB for 1,000 concurrent gets'], rows)]
}

function tableOfPeaks(calls) {
  const rows = Object.entries(calls.peaks).map(([name, peak]) => [titleOf(name), peak])
  return ['Peak memory of the processes', table(['', 'MB'], rows)]
}

function tableOfCost(cost) {
  const rows = cost.map(({ title, reads, writes, requests }) => [title, ...[reads, writes, requests].map(short)])
  return [
    'Cost of 1,000 page views',
    table(['', 'read capacity units', 'write capacity units', 'requests to DynamoDB'], rows)
  ]
}

function tableOfSize({ name, stripped, plain, gzipped }) {
  const rows = [[`${name}${stripped ? ', stripped' : ''}`, plain, gzipped]]
  return ['Size of the addon', table(['', 'MB', 'gzipped MB'], rows)]
}

/** The whole report as text for a terminal. */
function printed(results) {
  const parts = tablesOf(results).map(([title, text]) => `\n${title}\n\n${text}`)
  return [described(results.machine), ...results.notes, ...parts, '\nTargets\n'].join('\n')
}

module.exports = { printed, tablesOf }
