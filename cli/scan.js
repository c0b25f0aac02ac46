'use strict'

const { keyOf } = require('./item.js')

/**
 * Scans a table and calls `each` with its items, `width` at a time. After each group `place` marks where to go
 * on; an aborted signal ends the walk there. `told` is called after each group.
 */
async function walk({ table, attributes, consistent = false, width, reads, writes, place, signal, each, told }) {
  do {
    await reads.ready(signal)
    if (signal.aborted) return
    const page = await table.request('Scan', {
      ...projectionOf(attributes),
      ConsistentRead: consistent,
      ExclusiveStartKey: place.key,
      ReturnConsumedCapacity: 'TOTAL'
    })
    reads.charge(page.ConsumedCapacity?.CapacityUnits)
    for (let i = 0; i < page.Items.length; i += width) {
      await writes.ready(signal)
      if (signal.aborted) return
      const group = page.Items.slice(i, i + width)
      await allOf(group.map(each))
      place.mark(keyOf(group.at(-1), table.options))
      told()
    }
    place.mark(page.LastEvaluatedKey)
  } while (place.key !== undefined)
}

/** Waits for all of them, also when one fails: none may go on unseen. */
async function allOf(promises) {
  const failed = (await Promise.allSettled(promises)).find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Without attributes, whole items. */
function projectionOf(attributes) {
  if (attributes === undefined) return {}
  const names = [...new Set(attributes)].map((name, i) => [`#${i}`, name])
  return {
    ProjectionExpression: names.map(([placeholder]) => placeholder).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names)
  }
}

/** How many requests at a time keep up with so many units per second. */
function widthFor(rate) {
  return Math.min(16, Math.max(1, Math.ceil(rate / 20)))
}

/** The write units per second that leave an app enough of the table. */
function usualRate(description) {
  const provisioned = description?.ProvisionedThroughput?.WriteCapacityUnits
  return provisioned > 0 ? Math.max(1, provisioned / 2) : 100
}

module.exports = { usualRate, walk, widthFor }
