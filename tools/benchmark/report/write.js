'use strict'

// Run as a program, it rewrites the report from tools/benchmark/results/results.json.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { chartsOf } = require('./charts')
const { pageOf, readmePart, tablesPageOf } = require('./pages')
const { targetsOf } = require('./targets')

const root = path.join(__dirname, '..', '..', '..')
const RESULTS = path.join(root, 'tools', 'benchmark', 'results')

/** With `updateReadme`, it also replaces the part of the README between the markers. */
function writeReport(results, folder, { updateReadme }) {
  mkdirSync(folder, { recursive: true })
  const charts = chartsOf(results)
  const files = {
    'results.json': `${JSON.stringify(results)}\n`,
    'report.md': pageOf(results, charts),
    'tables.md': tablesPageOf(results),
    ...Object.fromEntries(charts.map(([file, , svg]) => [file, svg]))
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text)
  if (updateReadme) replacePart(path.join(root, 'README.md'), readmePart(results))
}

const MARKERS = ['<!-- benchmark -->', '<!-- benchmark ends -->']

function replacePart(file, part) {
  const text = readFileSync(file, 'utf8')
  const [start, end] = MARKERS.map((marker) => text.indexOf(marker))
  if (start === -1 || end < start) throw new Error(`${file} has no markers ${MARKERS.join(' and ')}`)
  writeFileSync(file, `${text.slice(0, start)}${MARKERS[0]}\n\n${part}\n\n${text.slice(end)}`)
}

module.exports = { RESULTS, writeReport }

if (require.main === module) {
  const results = JSON.parse(readFileSync(path.join(RESULTS, 'results.json')))
  writeReport({ ...results, targets: targetsOf(results) }, RESULTS, { updateReadme: true })
}
