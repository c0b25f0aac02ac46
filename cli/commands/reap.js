'use strict'

const { runResumable } = require('../checkpoint.js')
const { confirm } = require('../terminal.js')
const { exitCodes } = require('../error.js')
const {
  connectionOptions,
  rateOptions,
  readLayoutOptions,
  stateOption,
  storeOptions,
  yesOption
} = require('../options.js')
const { formatCount } = require('../progress.js')
const { RateLimiter, concurrencyFor, defaultWriteRate, scanTable } = require('../scan.js')

module.exports = {
  summary: 'Delete expired sessions from a table without time to live (TTL)',
  description: `
Scans the table and deletes each expired session, on the condition that it is still expired: a session that is renewed
in the meantime is kept. Sessions without an expiry and other items are kept too. TTL does the same at no
cost; run init to enable it.

The scan costs half a read capacity unit per 4 KB of the table. A deletion costs one write capacity unit per KB, rounded
up.

Ctrl-C stops the command after the requests in progress, saves a checkpoint file, and prints the command that resumes.
The file contains a session ID. Keep it private.`,
  options: {
    ...connectionOptions,
    ...readLayoutOptions,
    ...rateOptions,
    state: stateOption,
    'dry-run': { type: 'boolean', description: 'Only count the sessions that would be deleted' },
    yes: yesOption
  },
  examples: ['reap --dry-run', 'reap --rate 25 --read-rate 50', 'reap --yes --state reap.json --json'],

  async run({ values, output }) {
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const { table: name, region, hashKey, sortKey, prefix, attributes } = table.options
    const description = await table.describeIfAllowed()
    const isDry = values['dry-run'] === true
    if (!isDry) await confirm(`Delete the expired sessions in ${name}?`, values)

    const rate = values.rate ?? defaultWriteRate(description)
    const writes = new RateLimiter(rate)
    const run = {
      command: 'reap',
      table: name,
      region,
      arn: description?.TableArn,
      hashKey,
      sortKey,
      prefix,
      attributes,
      isDry
    }
    const { counts, exitCode, summary, summaryLine } = await runResumable(
      {
        values,
        run,
        counts: { scanned: 0, expired: 0, deleted: 0 },
        output,
        total: description?.ItemCount,
        tables: [table],
        detailOf: ({ expired, deleted }) =>
          isDry ? `${formatCount(expired)} expired` : `${formatCount(deleted)} deleted`
      },
      (checkpoint, signal) => {
        const { counts } = checkpoint
        return scanTable({
          table,
          attributes: attributesToRead(table.options),
          concurrency: isDry ? Infinity : concurrencyFor(rate),
          reads: new RateLimiter(values['read-rate']),
          writes,
          checkpoint,
          signal,
          async handleItem(item) {
            const { id, isSession, isExpired } = table.decode(item)
            if (isSession && isExpired) {
              if (!isDry && (await deleteExpired(table, id, writes))) counts.deleted += 1
              counts.expired += 1
            }
            counts.scanned += 1
          }
        })
      }
    )

    const { scanned, expired, deleted } = counts
    const finished = exitCode === exitCodes.success
    output.result({ table: name, finished, dryRun: isDry, scanned, expired, deleted, run: summary }, [
      isDry
        ? `${formatCount(scanned)} items scanned, ${formatCount(expired)} expired sessions would be deleted`
        : `${formatCount(scanned)} items scanned, ${formatCount(deleted)} expired sessions deleted`,
      summaryLine
    ])
    return exitCode
  }
}

/** The attributes that show whether an item is an expired session. */
function attributesToRead({ hashKey, sortKey, prefix, attributes }) {
  return [
    hashKey,
    ...(sortKey === undefined ? [] : [sortKey]),
    attributes.expires,
    ...(prefix === '' ? [attributes.session] : [])
  ]
}

/** Resolves to whether the session was still expired, and was therefore deleted. */
async function deleteExpired(table, id, writes) {
  await writes.consumeUnit()
  const { wasExpired, units = 1 } = await table.deleteExpired(id)
  writes.charge(units - 1)
  return wasExpired
}
