'use strict'

/** Seconds of difference to allow: the Date header has no fractions, and a request takes some time. */
const TOLERANCE = 5
const TIMEOUT = 5000

/** Checks what is installed. Returns whether the addon can be loaded. */
function checkEnvironment(report) {
  const isAddonLoaded = checkAddon(report)
  report('express-session', 'ok', expressSessionVersion() ?? 'not installed here; only Express apps need it')
  return isAddonLoaded
}

function checkAddon(report) {
  const { version } = require('../../package.json')
  try {
    require('../../lib/native/loader.js')
    report(
      'addon',
      'ok',
      `dynamodb-session ${version}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}`
    )
    return true
  } catch (error) {
    // The message is a summary, a list of the attempts, and the advice.
    const [summary, ...lines] = error.message.split('\n')
    const advice = lines.slice(lines.findLastIndex((line) => line.startsWith('  - ')) + 1)
    report('addon', 'failed', summary, advice.join(' '))
    return false
  }
}

function expressSessionVersion() {
  try {
    const file = require.resolve('express-session/package.json', { paths: [process.cwd(), __dirname] })
    return require(file).version
  } catch {
    return undefined
  }
}

/** Compares the clock of this host with the clock of the service. An app expires sessions by the clock of its host. */
async function checkClock(endpoint, report) {
  const offset = endpoint === undefined ? NaN : await serviceClockOffset(endpoint)
  if (Number.isNaN(offset)) return report('clock', 'unknown', 'not checked: the service did not send its time')
  const seconds = Math.round(offset / 1000)
  if (Math.abs(seconds) <= TOLERANCE) {
    return report('clock', 'ok', `within ${TOLERANCE} seconds of the service's clock`)
  }
  const difference = `${Math.abs(seconds)} seconds`
  const [direction, effect] = seconds > 0 ? ['behind', 'late'] : ['ahead of', 'early']
  return report(
    'clock',
    'failed',
    `${difference} ${direction} the service's clock: sessions expire ${difference} too ${effect}`,
    'synchronize the clock of this host with NTP'
  )
}

/** Milliseconds by which the service's clock is ahead of the clock of this host, or NaN if unknown. */
async function serviceClockOffset(endpoint) {
  try {
    const before = Date.now()
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(TIMEOUT), headers: { connection: 'close' } })
    await response.arrayBuffer()
    return new Date(response.headers.get('date') ?? NaN).getTime() - (before + Date.now()) / 2
  } catch {
    return NaN
  }
}

module.exports = { checkClock, checkEnvironment }
