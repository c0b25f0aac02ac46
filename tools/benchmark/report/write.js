'use strict'

// As a program, it writes the report anew of the results.json that is in tools/benchmark/results.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { chartsOf } = require('./charts')
const { described } = require('./machine')
const { tablesOf } = require('./tables')
const { targetsOf, targetsTable } = require('./targets')
const { readmePart } = require('./readme')

const root = path.join(__dirname, '..', '..', '..')
const RESULTS = path.join(root, 'tools', 'benchmark', 'results')

const NOTES = `The method:

- Every contender has a process of its own. They are measured in turn, A B C A B C, for ROUNDS rounds; the figures are
  medians, with minimum and maximum of the rounds in brackets where these differ. Only ratios within this run mean
  something on another machine.
- The server on the loopback device (http, https) is a program of one thread that answers from memory and checks
  nothing; 2ms is the same with each answer held back by 2 ms; embedded is the DynamoDB in memory of the tests. All share
  the machine with the clients.
- "main thread" and "process" are CPU time for each operation or request, in µs. "crossing alone" is the way into the addon
  and back, with JSON but without a request.
- The others are set up as their READMEs say, with keep-alive, and without the check of the table where that can be
  switched off. The touches of the calls are all sent, by every store; in the apps and in the cost the throttle of each is
  as its README or its default has it. The lean JavaScript client sends no touches in the apps.
- The apps are asked by 32 connections from another process. Delay is the 99th percentile of the event loop's.
- A cold start is a process from its start to its first session; a bare process only loads express-session.
- The cost is that of users who log in and view 20 pages a minute apart, every tenth of which changes a session of 2 KB,
  as the embedded DynamoDB charges it.`

/** `updateReadme`: the part of the README between its marks is written too. */
function writeReport(results, folder, { updateReadme }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(results)}\n`)
  const charts = chartsOf(results)
  for (const [name, svg] of charts) writeFileSync(path.join(folder, name), svg)
  writeFileSync(path.join(folder, 'report.md'), report(results, charts))
  if (updateReadme) replacePart(path.join(root, 'README.md'), readmePart(results))
}

function report(results, charts) {
  const { machine, notes, seconds, targets, rounds } = results
  const parts = tablesOf(results).map(([title, text]) => `## ${title}\n\n${text}`)
  return `${[
    '# Benchmark',
    `${described(machine)}. It took ${Math.round(seconds / 60)} minutes.`,
    ...notes,
    '## Figures to reach',
    targetsTable(targets),
    ...charts.map(([name]) => `![${name.replace('.svg', '')}](${name})`),
    '## How it was measured',
    NOTES.replace('ROUNDS', rounds),
    ...parts
  ].join('\n\n')}\n`
}

const MARKS = ['<!-- benchmark -->', '<!-- benchmark ends -->']

function replacePart(file, part) {
  const text = readFileSync(file, 'utf8')
  const [start, end] = MARKS.map((mark) => text.indexOf(mark))
  if (start === -1 || end < start) throw new Error(`${file} lacks the marks ${MARKS.join(' and ')}`)
  writeFileSync(file, `${text.slice(0, start)}${MARKS[0]}\n\n${part}\n\n${text.slice(end)}`)
}

module.exports = { writeReport }

if (require.main === module) {
  const results = JSON.parse(readFileSync(path.join(RESULTS, 'results.json')))
  writeReport({ ...results, targets: targetsOf(results) }, RESULTS, { updateReadme: true })
}
