'use strict'

const os = require('node:os')
const { version } = require('../../../package.json')

/** The machine and the versions that the figures apply to. */
function machine() {
  const cpus = os.cpus()
  return {
    cpu: cpus[0].model.trim(),
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    system: `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`,
    node: process.version,
    version,
    load: Math.round(os.loadavg()[0] * 10) / 10,
    date: new Date().toISOString().slice(0, 10)
  }
}

function described({ cpu, cores, memory, system, node, version, load, date }) {
  const of = `${cpu}, ${cores} cores, ${memory}, ${system}, Node.js ${node}, ${date}`
  return `dynamodb-session ${version} on ${of}; load average before the run: ${load}`
}

function short(number) {
  return Number(number.toPrecision(3)).toString()
}

/** A Markdown table, formatted as Prettier does. The first column is left-aligned unless `sides` says otherwise. */
function table(head, rows, sides = head.map((_, index) => (index === 0 ? 'left' : 'right'))) {
  const texts = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column].length)))
  const line = (row) =>
    `| ${row.map((text, column) => (sides[column] === 'left' ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join(' | ')} |`
  const rule = widths.map((width, column) =>
    sides[column] === 'left' ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`
  )
  return [line(texts[0]), `| ${rule.join(' | ')} |`, ...texts.slice(1).map(line)].join('\n')
}

module.exports = { described, machine, short, table }
