'use strict'

const os = require('node:os')
const { version } = require('../../../package.json')

/** The machine and the versions that the figures apply to. */
function machine() {
  const cpus = os.cpus()
  return {
    cpu: cpus[0].model.trim(),
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    system: `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`,
    node: process.version,
    version,
    load: Math.round(os.loadavg()[0] * 10) / 10,
    date: new Date().toISOString().slice(0, 10)
  }
}

function described({ cpu, cores, memory, system, node, version, load, date }) {
  const of = `${cpu}, ${cores} cores, ${memory}, ${system}, Node.js ${node}, ${date}`
  return `dynamodb-session ${version} on ${of}; load average before the run: ${load}`
}

module.exports = { described, machine }
