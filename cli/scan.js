'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

/**
 * Scans a table from its checkpoint on and calls `handleItem` for each item, `concurrency` items at a time. After
 * each batch, the checkpoint advances. An aborted signal stops the scan after the batch.
 */
async function scanTable({
  table,
  attributes,
  consistentRead = false,
  concurrency,
  reads,
  writes,
  checkpoint,
  signal,
  handleItem
}) {
  do {
    await reads.waitForUnit(signal)
    if (signal.aborted) return
    const page = await table.request('Scan', {
      ...projectionOf(attributes),
      ConsistentRead: consistentRead,
      ExclusiveStartKey: checkpoint.key
    })
    reads.charge(page.ConsumedCapacity?.CapacityUnits)
    for (let i = 0; i < page.Items.length; i += concurrency) {
      await writes.waitForUnit(signal)
      if (signal.aborted) return
      const batch = page.Items.slice(i, i + concurrency)
      await settleAll(batch.map(handleItem))
      checkpoint.advance(table.keyOfItem(batch.at(-1)))
    }
    checkpoint.advance(page.LastEvaluatedKey)
  } while (checkpoint.key !== undefined)
}

/** Waits for all promises even if one rejects, so that no request continues in the background. */
async function settleAll(promises) {
  const rejected = (await Promise.allSettled(promises)).find(({ status }) => status === 'rejected')
  if (rejected !== undefined) throw rejected.reason
}

/** Without attributes, the scan returns whole items. */
function projectionOf(attributes) {
  if (attributes === undefined) return {}
  const names = [...new Set(attributes)].map((name, i) => [`#${i}`, name])
  return {
    ProjectionExpression: names.map(([placeholder]) => placeholder).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names)
  }
}

/** The number of concurrent requests that are enough for a rate in units per second. */
function concurrencyFor(rate) {
  return Math.min(16, Math.max(1, Math.ceil(rate / 20)))
}

/** A rate of write capacity units per second that leaves an app enough capacity of the table. */
function defaultWriteRate(description) {
  const provisioned = description?.ProvisionedThroughput?.WriteCapacityUnits
  return provisioned > 0 ? Math.max(1, provisioned / 2) : 100
}

/** Limits the capacity units consumed per second, without bursts. Without a rate, there is no limit. */
class RateLimiter {
  #interval
  #next = 0

  constructor(unitsPerSecond) {
    this.#interval = unitsPerSecond === undefined ? 0 : 1000 / unitsPerSecond
  }

  /** Waits until a unit is available, or until the signal is aborted. Does not consume the unit. */
  async waitForUnit(signal) {
    await sleepUntil(this.#next, signal).catch(() => {})
  }

  /** Waits until a unit is available, and consumes it. */
  async consumeUnit() {
    const time = Math.max(performance.now(), this.#next)
    this.#next = time + this.#interval
    await sleepUntil(time)
  }

  /** Consumes units after the fact, when the response to a request says how many it cost. */
  charge(units = 0) {
    this.#next = Math.max(performance.now(), this.#next) + Math.max(units, 0) * this.#interval
  }
}

async function sleepUntil(time, signal) {
  const milliseconds = time - performance.now()
  // Node.js warns about negative times.
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal })
}

module.exports = { RateLimiter, concurrencyFor, defaultWriteRate, scanTable }
