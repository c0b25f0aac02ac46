'use strict'

/** The Date header has whole seconds, and a request takes a while. */
const TOLERANCE = 5
const TIME_LIMIT = 5000

/** Compares the clock with the service's: sessions expire by the clock of the app's host. */
async function clock(endpoint, tell) {
  const unknown = 'not told: the service gave no date here'
  if (endpoint === undefined) return tell('clock', 'unknown', unknown)
  let date
  try {
    const before = Date.now()
    const response = await fetch(endpoint, {
      signal: AbortSignal.timeout(TIME_LIMIT),
      headers: { connection: 'close' }
    })
    await response.arrayBuffer()
    date = new Date(response.headers.get('date') ?? NaN).getTime() - (before + Date.now()) / 2
  } catch {
    return tell('clock', 'unknown', unknown)
  }
  if (Number.isNaN(date)) return tell('clock', 'unknown', unknown)
  const seconds = Math.round(date / 1000)
  if (Math.abs(seconds) <= TOLERANCE) return tell('clock', 'ok', `within ${TOLERANCE} seconds of the service's`)
  const isBehind = seconds > 0
  return tell(
    'clock',
    'failed',
    `${Math.abs(seconds)} seconds ${isBehind ? 'behind' : 'ahead of'} the service's: sessions end that much ${isBehind ? 'late' : 'early'}`,
    'let NTP set the clock of this host'
  )
}

module.exports = { clock }
