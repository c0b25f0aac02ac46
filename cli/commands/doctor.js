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
const { elapsedLine } = require('../progress.js')
const { formatReport, listUnchecked, paint, verdictOf } = require('../report.js')
const { userIndexIfSet, userIndexOptions } = require('../user-index.js')

module.exports = {
  summary: 'Check the installation, the settings, and the table, and suggest fixes',
  description: `
Checks the addon, express-session, the Region, the endpoint, the credentials, the table with its key and its time to
live (TTL), the permissions, the prefixes of the keys, the latency, and the clock. Each check is ok, FAIL, WARN (use
your judgment), or skip (could not be checked). The report ends with what to do and with one of these verdicts:

  Ready for production                  exit code 0
  Ready for development …               exit code 0, if the server runs on this host
  Works with …, which is not AWS        exit code 0, if the server is a different one
  No problems found, but not …          exit code 0, if a check could not be made
  Works, but … attention                exit code 1 if a check has the result FAIL, otherwise 0
  Does not work: …                      exit code 1

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

    let [cost, host] = [{ readUnits: 0, writeUnits: 0 }, undefined]
    const { checkEnvironment } = require('../checks/host.js')
    if (checkEnvironment(report)) {
      const options = storeOptions(values)
      const { checkService } = require('../checks/service.js')
      const userIndex = userIndexIfSet(values)
      const hideProgress = output.showProgress(elapsedLine(() => `checking, ${checks.length} checks done`))
      const checking = checkService({ options, values, report, reads: values.count ?? 10, userIndex })
      ;({ cost, host } = await checking.finally(hideProgress))
    }

    const ok = checks.every(({ status }) => status !== 'failed')
    const verdict = verdictOf(checks, host)
    const unchecked = listUnchecked(checks, values)
    const result = { ok, verdict: verdict.text, checks, unchecked, cost }
    output.result(result, formatReport({ ...result, verdict }, output), paint)
    return ok ? exitCodes.success : exitCodes.failed
  }
}
