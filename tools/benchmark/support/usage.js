'use strict'

const { readFileSync } = require('node:fs')

const schedule = `/proc/self/task/${process.pid}/schedstat`

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
  return () => Number(readFileSync(schedule, 'latin1').split(' ', 1)[0]) / 1000
}

/** The CPU time and the elapsed time of this process in microseconds. */
function usage() {
  const { user, system } = process.cpuUsage()
  return { main: threadMicros(), cpu: user + system, time: performance.now() * 1000 }
}

function difference(before, after) {
  return Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]))
}

/** The memory of this process in MB: the peak, or now. */
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024
const megabytes = () => process.memoryUsage.rss() / 2 ** 20

module.exports = { difference, megabytes, peakMegabytes, usage }
