'use strict'

const { isExpired, isSession } = require('../item.js')
const { connection, layout, rates, state, storeOptions } = require('../options.js')
const { confirmed, resumable } = require('../checkpoint.js')
const { Rate } = require('../rate.js')
const { usualRate, walk, widthFor } = require('../scan.js')

const { format: _format, ...places } = layout

module.exports = {
  summary: 'delete the sessions that have expired, for tables without time to live',
  description: `
Scans the table and deletes each expired session on condition that it is still expired, so that one that comes to
life meanwhile stays. Other items, and sessions without an expiry, are left alone. DynamoDB's time to live does
the same at no cost: init enables it.

The scan costs half a read unit for each 4 KB of the table, a deletion one write unit for each started KB. Ctrl-C
ends it after the requests under way, writes where it was to a file, and tells how to go on; the file holds the key
of an item.`,
  options: {
    ...connection,
    ...places,
    ...rates,
    state,
    'dry-run': { type: 'boolean', text: 'only count what would be deleted' },
    yes: { type: 'boolean', short: 'y', text: 'do not ask' }
  },
  examples: ['reap --dry-run', 'reap --rate 25 --read-rate 50', 'reap --yes --state reap.json --json'],

  async run({ values, output }) {
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const description = await table.describeIfAllowed()
    const isDry = values['dry-run'] === true
    const rate = values.rate ?? usualRate(description)
    const total = description?.ItemCount ?? 0
    if (!isDry) await confirmed(`Delete the expired sessions of ${table.options.table}?`, { values, output })

    const { table: name, region, hashKey, sortKey, prefix, attributes } = table.options
    const where = { hashKey, sortKey, prefix, attributes }
    const run = { command: 'reap', table: name, region, arn: description?.TableArn, ...where, isDry }
    const counts = { scanned: 0, expired: 0, deleted: 0 }
    const writes = new Rate(rate)
    const { place, exitCode } = await resumable({ values, run, counts, output }, async (place, signal) => {
      const { counts } = place
      await walk({
        table,
        attributes: [hashKey, sortKey, attributes.expires, ...(prefix === '' ? [attributes.session] : [])].filter(
          Boolean
        ),
        width: isDry ? Infinity : widthFor(rate),
        reads: new Rate(values['read-rate']),
        writes,
        place,
        signal,
        told: () => output.progress(counts.scanned, total, `${counts.expired} expired of ${counts.scanned} items`),
        async each(item) {
          if (isSession(item, table.options) && isExpired(item, table.options)) {
            if (!isDry) await reapOne(item)
            counts.expired += 1
          }
          counts.scanned += 1
        }
      })

      async function reapOne(item) {
        await writes.take()
        const { wasExpired, units = 1 } = await table.deleteExpired(item[hashKey].S)
        writes.charge(units - 1)
        if (wasExpired) counts.deleted += 1
      }
    })
    const { scanned, expired, deleted } = place.counts
    const finished = exitCode === 0
    output.result({ table: name, finished, dryRun: isDry, scanned, expired, deleted }, [
      isDry
        ? `${expired} of ${scanned} items are expired sessions and would be deleted`
        : `${deleted} expired sessions deleted, of ${scanned} items`
    ])
    return exitCode
  }
}
