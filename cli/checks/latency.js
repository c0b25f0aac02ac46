'use strict'

const { attempt } = require('./attempt.js')

/** Milliseconds of a read from another Region, at least. */
const FAR_AWAY = 50

async function checkLatency(table, key, reads, report) {
  const times = []
  for (let i = 0; i < reads; i++) {
    const start = performance.now()
    const { error } = await attempt(() => table.request('GetItem', { Key: key }))
    // The check of GetItem reports what is wrong.
    if (error !== undefined) return report('latency', 'unknown', `a read failed: ${error.code}`)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor((times.length - 1) / 2)]
  return report(
    'latency',
    'ok',
    `median ${median.toFixed(1)} ms, maximum ${times.at(-1).toFixed(1)} ms, ${reads} reads`,
    median > FAR_AWAY ? 'from the Region of the table, a read takes a few milliseconds' : undefined
  )
}

module.exports = { checkLatency }
