'use strict'

const { exitCodes, usageError } = require('../error.js')
const {
  connectionOptions,
  formOptions,
  hidden,
  layoutOptions,
  readLayoutOptions,
  storeOptions
} = require('../options.js')
const { positiveInteger } = require('../parse.js')
const { userIndexIfSet, userIndexOptions } = require('../user-index.js')

const labels = { ok: 'ok  ', failed: 'FAIL', warning: 'WARN', unknown: '?   ' }

module.exports = {
  summary: 'Check the installation, the settings, and the table, and suggest fixes',
  description: `
Checks the addon, express-session, the Region, the endpoint, the credentials, the table with its key and its time to
live (TTL), the permissions, the prefixes of the keys, the latency, and the clock. Each line of the report starts with
ok, FAIL, WARN (use your judgment), or ? (could not be checked). Only FAIL makes the exit code 1.

--keys also reads up to 200 sessions, and says how many are plain, which keys encrypt the others, and what the app no
longer needs. With --user, it says the same about the users of these sessions, whose hashes depend on the keys too.
--user-index also checks the secondary index that an app with the user option needs, and the permission
to query it.

Writes nothing: the writes that test the permissions have a condition that never holds. Costs three write capacity
units and at most 141 read capacity units.`,
  options: {
    ...connectionOptions,
    ...readLayoutOptions,
    format: hidden(layoutOptions.format),
    keys: formOptions.keys,
    user: formOptions.user,
    ...userIndexOptions,
    count: {
      type: 'string',
      placeholder: 'n',
      description: 'Number of reads that measure the latency',
      default: '10',
      parse: positiveInteger
    }
  },
  examples: ['doctor', 'doctor --table sessions --region eu-central-1 --profile production', 'doctor --json'],

  async run({ values, output }) {
    if (values.user !== undefined && values.keys === undefined) throw usageError('--user requires --keys')
    const checks = []
    const report = (name, status, detail, hint) => checks.push({ name, status, detail, todo: hint ?? null })

    const { checkEnvironment } = require('../checks/host.js')
    if (checkEnvironment(report)) {
      const options = storeOptions(values)
      const { checkService } = require('../checks/service.js')
      const userIndex = userIndexIfSet(values)
      await checkService({ options, values, report, reads: values.count ?? 10, userIndex })
    }

    const ok = checks.every(({ status }) => status !== 'failed')
    output.result({ ok, checks }, formatChecks(checks))
    return ok ? exitCodes.success : exitCodes.failed
  }
}

function formatChecks(checks) {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2
  const indent = ' '.repeat(6 + width)
  return checks.flatMap(({ name, status, detail, todo: hint }) => [
    `${labels[status]}  ${name.padEnd(width)}${detail.replaceAll('\n', `\n${indent}`)}`,
    ...(hint === null ? [] : [`${indent}-> ${hint}`])
  ])
}
