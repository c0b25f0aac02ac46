'use strict'

const { usageError } = require('../error.js')
const { connection, layout, rates, sided, state, storeOptions } = require('../options.js')
const { confirmed, resumable } = require('../checkpoint.js')
const { Rate } = require('../rate.js')
const { usualRate, walk, widthFor } = require('../scan.js')

const { table: _table, ...shared } = connection
const { format: _format, ...places } = layout

module.exports = {
  summary: 'copy the sessions from one layout or table to another, and read each back',
  description: `
Writes each live session to the target and reads it back. Leaves out expired sessions and other items; attributes
besides the session go with it. The source is not changed, so you can run the command again shortly before the app
switches: a session that the target has with a later expiry is kept as newer. One that the target has with the same
expiry and other content is left as it is too, and counts as different. --overwrite replaces both. The target table
must exist: init creates it.

--region, --endpoint, and --profile apply to both sides; options that begin with --from or --to take precedence over
them. A profile that is given as an option takes precedence over keys in the environment. The command costs the reads
of a consistent scan (a unit for each 4 KB), and for each session a write and a consistent read of the target. Ctrl-C
ends it after the requests in progress, writes its position to a file, and prints the command that continues; the file
holds the key of an item.

Exit code 1 means that a session could not be written, was not read back as written, or is different in the target.`,
  options: {
    ...sided('from', { ...connection, ...places }),
    ...sided('to', { ...connection, ...layout }),
    ...shared,
    ...rates,
    state,
    overwrite: { type: 'boolean', text: 'also replace sessions that the target has with the same or a later expiry' },
    'verify-only': { type: 'boolean', text: 'write nothing: only tell what is missing or different in the target' },
    'dry-run': { type: 'boolean', text: 'write nothing: only tell what would be copied' },
    yes: { type: 'boolean', short: 'y', text: 'do not ask' }
  },
  examples: [
    'migrate --from-table old --from-layout dynamodb-store --to-table sessions --dry-run',
    'migrate --from-table old --from-layout dynamodb-store --to-table sessions --rate 50',
    'migrate --from-region us-east-1 --to-region eu-central-1 --verify-only'
  ],

  async run({ values, output }) {
    const { Table } = require('../table.js')
    const { Copy } = require('../migration.js')
    if (values.overwrite && (values['verify-only'] || values['dry-run'])) {
      throw usageError('--overwrite contradicts --verify-only and --dry-run')
    }
    const from = new Table(storeOptions(values, 'from'))
    const to = new Table(storeOptions(values, 'to'))
    let isOneTable = haveOnePlace(from.options, to.options) && refuseSameKeys(from.options, to.options)
    const source = await from.describeIfAllowed()
    const target = await to.describeIfAllowed()
    if (isOneOfAWS(source, target)) isOneTable = refuseSameKeys(from.options, to.options)
    const mode = values['verify-only'] ? 'verify' : values['dry-run'] ? 'dry-run' : 'copy'
    const names = `${from.options.table} (${from.options.layout}) to ${to.options.table} (${to.options.layout})`
    if (mode === 'copy') await confirmed(`Copy the sessions from ${names}?`, { values, output })

    const rate = values.rate ?? usualRate(target)
    const writes = new Rate(rate)
    const run = {
      command: 'migrate',
      table: from.options.table,
      source: source?.TableArn,
      target: target?.TableArn,
      layouts: [from.options, to.options].map(placesOf),
      mode,
      overwrite: values.overwrite === true
    }
    const { place, exitCode } = await resumable({ values, run, counts: Copy.counts, output }, (place, signal) => {
      const copy = new Copy({ from, to, isOneTable, mode, overwrite: values.overwrite, writes, counts: place.counts })
      const { counts } = place
      return walk({
        table: from,
        consistent: true,
        width: widthFor(rate),
        reads: new Rate(values['read-rate']),
        writes,
        place,
        signal,
        told: () => output.progress(counts.scanned, source?.ItemCount, `${counts.copied} copied of ${counts.scanned}`),
        each: (item) => copy.one(item)
      })
    })
    const { counts } = place
    output.result({ finished: exitCode === 0, mode, from: from.options.table, to: to.options.table, ...counts }, [
      ...linesOf(counts, mode)
    ])
    if (exitCode !== 0) return exitCode
    const isBad = counts.different + counts.failed > 0 || (mode === 'verify' && counts.missing > 0)
    return isBad ? 1 : 0
  }
}

/** Where sessions stand, of settled options. */
function placesOf({ table, region, endpoint, hashKey, sortKey, prefix, attributes, format }) {
  return { table, region, endpoint, hashKey, sortKey, prefix, attributes, format }
}

function haveOnePlace(from, to) {
  return isEqual(from, to, ['table', 'region', 'endpoint', 'profile'])
}

/** Two profiles, or a name and an ARN, may lead to one table; servers that stand in for AWS call all accounts 0. */
function isOneOfAWS(source, target) {
  return (
    source?.TableArn !== undefined &&
    source.TableArn === target?.TableArn &&
    !source.TableArn.includes(':000000000000:')
  )
}

/** Within one table the keys must not be the same; gives that it is one table. */
function refuseSameKeys(from, to) {
  if (isEqual(from, to, ['hashKey', 'sortKey', 'prefix'])) {
    throw usageError('source and target are the same items: give --to-table, --to-region, --to-layout or --to-prefix')
  }
  return true
}

function isEqual(from, to, names) {
  return names.every((name) => from[name] === to[name])
}

function linesOf(counts, mode) {
  const words = {
    copied: mode === 'dry-run' ? 'would be copied' : 'copied, and read back as written',
    same: 'were there already, and are the same',
    kept: 'are newer in the target, and were kept there',
    expired: 'have expired, and were left out',
    missing: 'are missing in the target',
    different: 'are different in the target',
    failed: 'could not be written',
    corrupt: 'hold no session that can be read',
    foreign: 'are no sessions'
  }
  const told = Object.entries(words).filter(([name]) => counts[name] > 0)
  return [
    `${counts.scanned} items read`,
    ...told.map(([name, text]) => `${String(counts[name]).padStart(8)} ${text}`),
    ...Object.entries(counts.reasons).map(([reason, times]) => `${String(times).padStart(8)} failed: ${reason}`)
  ]
}
