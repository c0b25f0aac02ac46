'use strict'

// Run as a program, it rewrites the report from tools/benchmark/results/results.json.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { chartsOf } = require('./charts')
const { described } = require('./format')
const { tablesOf } = require('./tables')
const { targetsOf, targetsTable } = require('./targets')

const root = path.join(__dirname, '..', '..', '..')
const RESULTS = path.join(root, 'tools', 'benchmark', 'results')

const NOTES = `- Each store runs in a process of its own. The stores take turns (A B C A B C) for ROUNDS rounds. A figure is the median of
  the rounds, followed by their minimum and maximum in parentheses where these differ. Only ratios within one run carry over
  to other machines.
- The servers \`http\` and \`https\` are a single-threaded program on the loopback interface that responds from memory and
  validates nothing. \`2ms\` delays each response by 2 ms. \`embedded\` is the in-memory DynamoDB that the tests use. All of
  them share the machine with the stores.
- "main thread" and "process" are the CPU time of one operation or request in µs. "boundary only" passes the session to the
  addon and back, with JSON but without a request.
- A "save" is the \`set\` of a session that express-session has read and the app has changed. This store writes it only if no
  other request has changed it. A "set" is of a session that the store has not read, which it writes in any case.
- The other stores are set up as their READMEs recommend, with keep-alive connections, and without the table check where
  it can be turned off. In the tables of operations, every store sends every touch. In the apps and in the cost table, each
  store throttles touches as its README or its defaults say. The lean JavaScript client sends no touches in the apps.
- Another process loads the apps over 32 connections. "delay p99" is the 99th percentile of the event-loop delay.
- A cold start is a process from its start to its first session. The bare process only loads express-session.
- The cost is that of users who log in and view 20 pages, one minute apart. Every tenth page changes a session of 2 KB. The
  capacity units are those that the in-memory DynamoDB of the tests reports.`

/** With `updateReadme`, it also replaces the part of the README between the markers. */
function writeReport(results, folder, { updateReadme }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(results)}\n`)
  const charts = chartsOf(results)
  for (const [name, svg] of charts) writeFileSync(path.join(folder, name), svg)
  writeFileSync(path.join(folder, 'report.md'), report(results, charts))
  writeFileSync(path.join(folder, 'tables.md'), tables(results))
  if (updateReadme) replacePart(path.join(root, 'README.md'), readmePart(results))
}

function report({ machine, notes, seconds, targets, rounds }, charts) {
  return `${[
    '# Benchmark report',
    `${described(machine)}. The run took ${Math.round(seconds / 60)} minutes. [All tables](tables.md) are on their own page.`,
    ...notes,
    '## Targets',
    targetsTable(targets),
    ...charts.map(([name]) => `![${name.replace('.svg', '')}](${name})`),
    '## Method',
    NOTES.replace('ROUNDS', rounds)
  ].join('\n\n')}\n`
}

function tables(results) {
  const parts = tablesOf(results).map(([title, text]) => `## ${title}\n\n${text}`)
  const introduction = `The figures of [the benchmark report](report.md), which describes the method. ${described(results.machine)}.`
  return `${['# Benchmark tables', introduction, ...parts].join('\n\n')}\n`
}

const ORIGINALS = ['connect-dynamodb', 'pwrdrvr', 'dynamodb-store', 'koa-session-dynamodb-store']

const rounded = (figure) => Number(figure.toPrecision(3)).toLocaleString('en-US')

/** What the README shows of a full run. */
function readmePart(results) {
  const wanted = { server: 'http', operation: 'get', size: 2048, inFlight: 64 }
  const isWanted = (cell) => Object.entries(wanted).every(([name, value]) => cell[name] === value)
  const { contenders } = results.calls.cells.find(isWanted)
  const ours = contenders['dynamodb-session']
  const originals = ORIGINALS.map((name) => contenders[name]).filter(Boolean)
  const rangeOf = (name) => {
    const figures = originals.map((original) => original[name][0])
    return `${rounded(Math.min(...figures))} to ${rounded(Math.max(...figures))}`
  }
  return `![Gets per second of this store, other DynamoDB stores, and MemoryStore](tools/benchmark/results/get.svg)

With 2 KB sessions and 64 requests in progress, one process reads ${rounded(ours.opsPerSecond[0])} sessions per second and
spends ${rounded(ours.main[0])} µs of main-thread CPU time on each. The other DynamoDB stores read ${rangeOf('opsPerSecond')} and spend
${rangeOf('main')} µs. The benchmark uses an in-memory server on the same machine instead of DynamoDB, so throughput with a real
table differs. What carries over is the difference in CPU time per read. See the
[benchmark report](tools/benchmark/results/report.md).`
}

const MARKERS = ['<!-- benchmark -->', '<!-- benchmark ends -->']

function replacePart(file, part) {
  const text = readFileSync(file, 'utf8')
  const [start, end] = MARKERS.map((marker) => text.indexOf(marker))
  if (start === -1 || end < start) throw new Error(`${file} has no markers ${MARKERS.join(' and ')}`)
  writeFileSync(file, `${text.slice(0, start)}${MARKERS[0]}\n\n${part}\n\n${text.slice(end)}`)
}

module.exports = { writeReport }

if (require.main === module) {
  const results = JSON.parse(readFileSync(path.join(RESULTS, 'results.json')))
  writeReport({ ...results, targets: targetsOf(results) }, RESULTS, { updateReadme: true })
}
