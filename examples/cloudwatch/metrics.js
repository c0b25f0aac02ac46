'use strict'

const NAMESPACE = 'Sessions'
const INTERVAL_MS = 60_000

/**
 * Writes what happens in a store to standard output in CloudWatch's embedded metric format: a report of its counters every
 * minute, and each `conflict` and `missing` event at once. Returns a function that writes the last report.
 */
function writeMetrics(store, tableName) {
  let last = countersOf(store.stats())

  /** Writes by how much the counters have grown since the last report. */
  function report() {
    const counters = countersOf(store.stats())
    const growth = Object.entries(counters).map(([name, value]) => [name, value - last[name]])
    last = counters
    write(Object.fromEntries(growth), { TableName: tableName })
  }

  /** Writes an event. The hash of the session ID and the names of the fields can be searched in the log. */
  const writeEvent = (metric, { operation, tableName: TableName, ...details }) =>
    write({ [metric]: 1 }, { TableName, Operation: operation }, details)

  store.on('conflict', (event) => writeEvent('Conflicts', event))
  store.on('missing', (event) => writeEvent('Missing', event))
  const timer = setInterval(report, INTERVAL_MS)
  timer.unref()
  return function stop() {
    clearInterval(timer)
    report()
  }
}

function countersOf({ operations, errors, retries, throttles, touchesSaved, setsSaved, merges, conflicts, missing }) {
  return {
    Operations: sum(operations),
    Errors: sum(errors),
    Retries: retries,
    Throttles: throttles,
    TouchesSaved: touchesSaved,
    SetsSaved: setsSaved,
    Merges: merges,
    Conflicts: conflicts,
    Missing: missing
  }
}

const sum = (counters) => Object.values(counters).reduce((total, value) => total + value, 0)

/** Writes one line of the embedded metric format. The details are searchable, but are not metrics. */
function write(values, dimensions, details) {
  const metrics = Object.keys(values).map((name) => ({ Name: name, Unit: 'Count' }))
  const directive = { Namespace: NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics: metrics }
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [directive] }
  console.log(JSON.stringify({ _aws, ...dimensions, ...values, ...details }))
}

module.exports = { writeMetrics }
