'use strict'

const { exitCodes, usageError } = require('../error.js')
const { connection, layout, rates, storeOptions } = require('../options.js')
const { count } = require('../parse.js')
const { confirmed, interruption } = require('../checkpoint.js')
const { Rate } = require('../rate.js')
const { Tally } = require('../tally.js')
const { linesOf } = require('../tally-lines.js')

const { format: _format, ...places } = layout

/** A sample is read in so many parts, from all over the table. */
const PARTS = 10
const MOST_SEGMENTS = 1_000_000

module.exports = {
  summary: 'count the sessions, their sizes, and those that have expired and are not yet swept',
  description: `
Reads the whole table, or a sample of it, at half a read unit for each 4 KB. The cost is told first, from
DynamoDB's count of items and bytes, which is up to six hours old; on a terminal it is asked whether to go on.
--sample reads parts from all over the table and estimates the whole. Ctrl-C ends it with what was read so far.`,
  options: {
    ...connection,
    ...places,
    sample: { type: 'string', value: 'percent', text: 'read so much of the table, such as 10%', parse: percent },
    limit: { type: 'string', value: 'n', text: 'read so many items at most', parse: count },
    'read-rate': rates['read-rate'],
    'dry-run': { type: 'boolean', text: 'only tell the cost' },
    yes: { type: 'boolean', short: 'y', text: 'do not ask' }
  },
  examples: ['stats', 'stats --sample 5% --read-rate 100', 'stats --limit 1000 --json'],

  async run({ values, output }) {
    if (values.sample !== undefined && values.limit !== undefined) {
      throw usageError('--sample and --limit contradict each other')
    }
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const description = await table.describeIfAllowed()
    const { segments, fraction } = segmentsFor(values.sample ?? 1)
    const cost = costOf(description, { fraction, limit: values.limit, requests: segments.length })
    output.note(cost.text)
    const told = { table: table.options.table, cost: { readUnits: cost.readUnits ?? null, items: cost.items ?? null } }
    if (values['dry-run']) return output.result({ ...told, dryRun: true }, ['nothing was read'])
    await confirmed(`Read ${fraction < 1 || values.limit ? 'the sample' : 'the table'}?`, { values, output })

    const tally = new Tally(table.options)
    const { signal, release } = interruption()
    const limit = values.limit ?? Infinity
    const reads = new Rate(values['read-rate'])
    for (const segment of segments) {
      if (signal.aborted || tally.items >= limit) break
      await scan(table, { segment, limit, reads, signal, tally, output, expected: cost.items })
    }
    release()
    const share = signal.aborted ? undefined : shareOf(tally, { fraction, limit, total: description?.ItemCount })
    const report = { ...told, finished: !signal.aborted, complete: share === 1, ...tally.report(share) }
    output.result(report, linesOf(report))
    if (!signal.aborted) return exitCodes.done
    output.note('interrupted')
    return exitCodes.interrupted
  }
}

async function scan(table, { segment, limit, reads, signal, tally, output, expected }) {
  let start
  do {
    await reads.ready(signal)
    if (signal.aborted) return
    const page = await table.request('Scan', {
      ...segment,
      ...(limit < Infinity && { Limit: limit - tally.items }),
      ExclusiveStartKey: start,
      ReturnConsumedCapacity: 'TOTAL'
    })
    const units = page.ConsumedCapacity?.CapacityUnits
    reads.charge(units)
    tally.add(page.Items, units)
    output.progress(tally.items, expected ?? 0, `${tally.items} items`)
    start = page.LastEvaluatedKey
    if (start === undefined && limit < Infinity) tally.hasSeenAll = true
  } while (start !== undefined && tally.items < limit)
}

/** Random parts of the table that make up the share. */
function segmentsFor(share) {
  if (share >= 1) return { segments: [{}], fraction: 1 }
  const total = Math.min(MOST_SEGMENTS, Math.round(PARTS / share))
  const chosen = new Set()
  while (chosen.size < PARTS) chosen.add(Math.floor(Math.random() * total))
  return { segments: [...chosen].map((Segment) => ({ Segment, TotalSegments: total })), fraction: PARTS / total }
}

/** What share of the table was read; undefined where that is not known. */
function shareOf(tally, { fraction, limit, total }) {
  if (limit === Infinity) return fraction
  if (tally.hasSeenAll) return 1
  return total > tally.items ? tally.items / total : undefined
}

function costOf(description, { fraction, limit = Infinity, requests }) {
  if (description === undefined)
    return { text: 'the cost is not known: the policy does not allow dynamodb:DescribeTable' }
  const { ItemCount = 0, TableSizeBytes = 0 } = description
  const share = Math.min(fraction, ItemCount > 0 ? limit / ItemCount : 1)
  const items = Math.round(ItemCount * share)
  const readUnits = Math.max(requests / 2, Math.ceil((TableSizeBytes * share) / 4096) / 2)
  const size = `${ItemCount} items, ${TableSizeBytes} bytes`
  return {
    items,
    readUnits,
    text: `about ${readUnits} read units for ${items} items (the table: ${size}, as of the last six hours)`
  }
}

function percent(text, name) {
  const [, number] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text) ?? []
  if (!(number > 0 && number <= 100)) throw usageError(`${name} must be a percentage over 0 and up to 100, such as 10%`)
  return number / 100
}
