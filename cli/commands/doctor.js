'use strict'

const { exitCodes } = require('../error.js')
const { connection, layout, storeOptions } = require('../options.js')
const { count } = require('../parse.js')

const marks = { ok: 'ok  ', failed: 'FAIL', warning: 'WARN', unknown: '?   ' }

module.exports = {
  summary: 'check all that a store needs: each line is ok, or says what to do',
  description: `
Checks the addon, express-session, Region, endpoint, credentials, the table with its key and its time to live, the
permissions, the prefixes of its keys, the latency, and the clock. It writes nothing: the writes that it tries have a
condition that never holds. It costs three write units and some read units, at most 140. A line with WARN needs your
judgment, a line with ? could not be determined, and neither is a failure.`,
  options: {
    ...connection,
    ...layout,
    count: { type: 'string', value: 'n', text: 'reads for the latency', default: '10', parse: count }
  },
  examples: ['doctor', 'doctor --table sessions --region eu-central-1 --profile production', 'doctor --json'],

  async run({ values, output }) {
    const checks = []
    const tell = (name, status, detail, todo) => checks.push({ name, status, detail, todo: todo ?? null })
    const { environment } = require('../checks/environment.js')
    const isLoaded = environment(tell)
    if (isLoaded) {
      const options = storeOptions(values)
      const { service } = require('../checks/service.js')
      await service({ options, values, tell, reads: values.count ?? 10 })
    }
    const ok = checks.every(({ status }) => status !== 'failed')
    const width = Math.max(...checks.map(({ name }) => name.length)) + 2
    const indent = ' '.repeat(6 + width)
    output.result(
      { ok, checks },
      checks.flatMap(({ name, status, detail, todo }) => [
        `${marks[status]}  ${name.padEnd(width)}${detail.replaceAll('\n', `\n${indent}`)}`,
        ...(todo === null ? [] : [`${indent}-> ${todo}`])
      ])
    )
    return ok ? exitCodes.done : exitCodes.failed
  }
}
