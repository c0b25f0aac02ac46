'use strict'

const { exitCodes, usageError } = require('../error.js')
const { confirm, listenForInterrupt } = require('../terminal.js')
const {
  connectionOptions,
  keysOption,
  rateOptions,
  readLayoutOptions,
  storeOptions,
  yesOption
} = require('../options.js')
const { ScanProgress, formatCount, summaryText } = require('../progress.js')
const { RateLimiter } = require('../scan.js')
const { positiveInteger } = require('../parse.js')

/** The number of random segments in a sample. */
const SAMPLE_SEGMENTS = 10
/** The largest TotalSegments of a Scan. */
const MAX_SEGMENTS = 1_000_000
/** The width of the histogram's bars in characters. */
const BAR_WIDTH = 40

module.exports = {
  summary: 'Count sessions, measure their sizes, and find expired sessions still in the table',
  description: `
Scans the whole table, or a sample of it, which costs half a read capacity unit per 4 KB. Prints the estimated cost
first, and asks for confirmation on a terminal. The estimate is based on DynamoDB's item count and table size, which can
be six hours old.

--sample reads random segments of the table and estimates the totals. Ctrl-C stops the scan and prints the counts so
far.`,
  options: {
    ...connectionOptions,
    ...readLayoutOptions,
    keys: keysOption,
    sample: {
      type: 'string',
      placeholder: 'percent',
      description: 'Scan only this share of the table, such as 10%',
      parse: parsePercentage
    },
    limit: {
      type: 'string',
      placeholder: 'n',
      description: 'Scan at most this number of items',
      parse: positiveInteger
    },
    'read-rate': rateOptions['read-rate'],
    'dry-run': { type: 'boolean', description: 'Only print the estimated cost' },
    yes: yesOption
  },
  examples: ['stats', 'stats --sample 5% --read-rate 100', 'stats --limit 1000 --json'],

  async run({ values, output }) {
    if (values.sample !== undefined && values.limit !== undefined) {
      throw usageError('--sample and --limit cannot be combined')
    }
    const { SessionCounter } = require('../session-counter.js')
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const description = await table.describeIfAllowed()
    const { segments, fraction } = chooseSegments(values.sample ?? 1)
    const limit = values.limit ?? Infinity

    const cost = estimateCost(description, { fraction, limit, requests: segments.length })
    output.note(cost.text)
    const header = {
      table: table.options.table,
      cost: { readUnits: cost.readUnits ?? null, items: cost.items ?? null }
    }
    if (values['dry-run']) return output.result({ ...header, dryRun: true }, ['dry run: nothing was read'])
    await confirm(`Read ${fraction < 1 || values.limit ? 'the sample' : 'the table'}?`, values)

    const counter = new SessionCounter(table)
    const reads = new RateLimiter(values['read-rate'])
    const { signal, release } = listenForInterrupt()
    let [hasReachedEnd, segmentsDone] = [false, 0]
    const progress = new ScanProgress(() => ({
      items: counter.items,
      total: cost.items,
      // Segments have about the same size, and their number is exact.
      share: segments.length > 1 ? segmentsDone / segments.length : undefined,
      units: table.consumed
    }))
    const hideProgress = output.showProgress((columns) => progress.line(columns))
    try {
      for (const segment of segments) {
        if (signal.aborted || counter.items >= limit) break
        hasReachedEnd = await countSegment(table, { segment, limit, reads, signal, counter })
        segmentsDone += 1
      }
    } finally {
      hideProgress()
      release()
    }

    const share = signal.aborted
      ? undefined
      : shareRead({ items: counter.items, fraction, limit, hasReachedEnd, tableItems: description?.ItemCount })
    const run = progress.summary()
    const report = { ...header, finished: !signal.aborted, complete: share === 1, ...counter.report(share), run }
    output.result(report, [...formatReport(report), summaryText(run)])
    if (!signal.aborted) return exitCodes.success
    output.note('interrupted')
    return exitCodes.interrupted
  }
}

/** Counts the items of a segment. Resolves to whether its end was reached. */
async function countSegment(table, { segment, limit, reads, signal, counter }) {
  let startKey
  do {
    await reads.waitForUnit(signal)
    if (signal.aborted) return false
    const page = await table.request('Scan', {
      ...segment,
      ...(limit < Infinity && { Limit: limit - counter.items }),
      ExclusiveStartKey: startKey
    })
    const units = page.ConsumedCapacity?.CapacityUnits
    reads.charge(units)
    counter.addPage(page.Items, units)
    startKey = page.LastEvaluatedKey
  } while (startKey !== undefined && counter.items < limit)
  return startKey === undefined
}

/** Random segments of the table that together are about this share of it, and their exact fraction. */
function chooseSegments(share) {
  if (share >= 1) return { segments: [{}], fraction: 1 }
  const total = Math.min(MAX_SEGMENTS, Math.round(SAMPLE_SEGMENTS / share))
  const chosen = new Set()
  while (chosen.size < SAMPLE_SEGMENTS) chosen.add(Math.floor(Math.random() * total))
  const segments = [...chosen].map((segment) => ({ Segment: segment, TotalSegments: total }))
  return { segments, fraction: SAMPLE_SEGMENTS / total }
}

/** The share of the table that was read, or undefined if unknown. */
function shareRead({ items, fraction, limit, hasReachedEnd, tableItems }) {
  if (limit === Infinity) return fraction
  if (hasReachedEnd) return 1
  return tableItems > items ? items / tableItems : undefined
}

function estimateCost(description, { fraction, limit, requests }) {
  if (description === undefined) {
    return { text: 'cannot estimate the cost: the IAM policy does not allow dynamodb:DescribeTable' }
  }
  const { ItemCount = 0, TableSizeBytes = 0 } = description
  const share = Math.min(fraction, ItemCount > 0 ? limit / ItemCount : 1)
  const items = Math.round(ItemCount * share)
  const readUnits = Math.max(requests / 2, Math.ceil((TableSizeBytes * share) / 4096) / 2)
  const table = `table: ${formatCount(ItemCount)} items, ${formatCount(TableSizeBytes)} bytes, counted up to six hours ago`
  const text = `estimated cost: ${formatCount(readUnits)} read capacity units for ${formatCount(items)} items (${table})`
  return { items, readUnits, text }
}

function parsePercentage(text, name) {
  const [, number] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text) ?? []
  if (!(number > 0 && number <= 100))
    throw usageError(`${name} must be a percentage greater than 0 and at most 100, such as 10%`)
  return number / 100
}

/** The report of `stats` as lines of text. */
function formatReport(report) {
  const { sessions, estimate, bytes, longestExpiredSeconds: longest } = report
  const withEstimate = (name) => {
    const estimated = estimate === null ? '' : `, about ${formatCount(estimate[name])} in the table`
    return `${formatCount(report[name])}${estimated}`
  }
  const oldest = longest === null ? '' : `; the oldest expired ${formatDuration(longest)} ago`
  return [
    `scanned         ${formatCount(report.items)} items, ${shareText(report)}`,
    `sessions        ${withEstimate('sessions')}`,
    `  live          ${withEstimate('alive')}`,
    `  expired       ${withEstimate('expired')}${oldest}`,
    `  no expiry     ${withEstimate('withoutExpiry')}`,
    `  encrypted     ${withEstimate('encrypted')}`,
    `  unreadable    ${withEstimate('corrupt')}`,
    `other items     ${withEstimate('foreign')}`,
    ...(bytes === null ? [] : sizeLines(bytes, sessions))
  ]
}

function shareText({ complete, share }) {
  if (complete) return 'the whole table'
  if (share === null) return 'part of the table'
  return `${(share * 100).toFixed(share < 0.1 ? 2 : 0)}% of the table`
}

function sizeLines({ min, p50, p90, p99, max, mean, histogram }, sessions) {
  const last = histogram.findLastIndex((bucket) => bucket.sessions > 0)
  const bars = histogram.slice(0, last + 1).map((bucket) => {
    const bar = '#'.repeat(Math.ceil((bucket.sessions / sessions) * BAR_WIDTH))
    return `  up to ${String(bucket.upToKB).padStart(3)} KB  ${formatCount(bucket.sessions).padEnd(8)} ${bar}`
  })
  return [`bytes           min ${min}, median ${p50}, p90 ${p90}, p99 ${p99}, max ${max}, mean ${mean}`, ...bars]
}

function formatDuration(seconds) {
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`
}
