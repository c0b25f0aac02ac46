'use strict'

const { readdirSync, readFileSync, writeFileSync } = require('node:fs')

const TASKS = '/proc/self/task'
// Linux truncates the names of threads to 15 characters.
const RUNTIME_THREAD = 'dynamodb-session'.slice(0, 15)

const schedule = `${TASKS}/${process.pid}/schedstat`

/** The CPU time of this thread in microseconds, or NaN if the system does not provide it. */
const threadMicros = clockOf()

function clockOf() {
  if (typeof process.threadCpuUsage === 'function') {
    return () => {
      const { user, system } = process.threadCpuUsage()
      return user + system
    }
  }
  try {
    readFileSync(schedule)
  } catch {
    return () => NaN
  }
  return () => scheduledMicros(schedule)
}

function scheduledMicros(file) {
  return Number(readFileSync(file, 'latin1').split(' ', 1)[0]) / 1000
}

/** The CPU time and the elapsed time of this process in microseconds. */
function usage() {
  const { user, system } = process.cpuUsage()
  return { main: threadMicros(), cpu: user + system, time: performance.now() * 1000 }
}

/** The CPU time of the addon's thread in microseconds, and its context switches. NaN if this process or system has none. */
function runtimeUsage() {
  try {
    const read = (task, file) => readFileSync(`${TASKS}/${task}/${file}`, 'latin1')
    const task = readdirSync(TASKS).find((each) => read(each, 'comm').trim() === RUNTIME_THREAD)
    const switches = (kind) =>
      Number(new RegExp(`^${kind}_ctxt_switches:\\s*(\\d+)`, 'm').exec(read(task, 'status'))[1])
    return {
      runtime: scheduledMicros(`${TASKS}/${task}/schedstat`),
      voluntary: switches('voluntary'),
      involuntary: switches('nonvoluntary')
    }
  } catch {
    return { runtime: NaN, voluntary: NaN, involuntary: NaN }
  }
}

function difference(before, after) {
  return Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]))
}

/** The memory of this process in MB: the peak, or now. */
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024
const megabytes = () => process.memoryUsage.rss() / 2 ** 20

/** Starts to measure the peak in MB that `peakSinceReset` returns, which is NaN where the system cannot measure it. */
function resetPeak() {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5')
}

function peakSinceReset() {
  if (process.platform !== 'linux') return NaN
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  return kilobytes / 1024
}

/** A quantile of sorted numbers. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Rounds to three significant digits. More would be noise. */
function rounded(number) {
  return Number.isFinite(number) ? Number(number.toPrecision(3)) : null
}

/** [median, minimum, maximum] */
function spread(numbers) {
  const sorted = numbers.filter((number) => number !== null && Number.isFinite(number)).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return [median, sorted[0], sorted.at(-1)].map(rounded)
}

/** The spread of each figure over samples with the same figures. */
function spreads(samples) {
  const names = Object.keys(samples[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, spread(samples.map((sample) => sample[name]))]))
}

/** Runs `sample(name)` for each name in turn (A B C A B C) for some rounds. Returns the spreads by name. */
async function interleaved(names, rounds, sample) {
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await sample(name))
  }
  return Object.fromEntries(names.map((name) => [name, spreads(samples[name])]))
}

module.exports = {
  difference,
  interleaved,
  megabytes,
  peakMegabytes,
  peakSinceReset,
  quantile,
  resetPeak,
  runtimeUsage,
  spread,
  usage
}
