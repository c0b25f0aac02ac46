'use strict'

const { spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')

/** The words before a command that run it on one core only. */
function pinnedTo(core) {
  return ['taskset', '--cpu-list', String(core)]
}

/** Two cores that this process may use, or the reason why there are none. */
function twoCores() {
  if (spawnSync('taskset', ['--version']).status !== 0) return { reason: 'taskset is not installed' }
  const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  const cores = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  return cores.length > 1 ? { cores: cores.slice(0, 2) } : { reason: 'there is only one core' }
}

module.exports = { pinnedTo, twoCores }
