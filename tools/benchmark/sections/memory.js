'use strict'

const { Child } = require('../support/children')
const { interleaved } = require('../support/statistics')
const { startOnce } = require('./cold')

const SIZE = 2048

/** Measures the memory of an idle process that has read one session, and how much it grows over many operations. */
async function measureMemory({ plan, environment, servers, progress }) {
  const { idle: names, processes, growing, operations } = plan.memory
  progress('memory: idle')
  const idle = await interleaved(['bare', ...names], processes, (name) =>
    startOnce(name, { environment, servers, server: 'https', credentials: 'environment', stay: true })
  )
  progress(`memory: ${operations} operations`)
  const child = new Child('calls.js', { env: environment.variables(), args: [growing], execArgv: ['--expose-gc'] })
  const endpoint = await servers.endpoint('http')
  const { course, growth } = await child.ask({ ask: 'work', endpoint, size: SIZE, operations, inFlight: 64 })
  await child.end()
  return { idle, growing, operations, course: course.map(Math.round), growth: Math.round(growth * 10) / 10 }
}

module.exports = { measureMemory }
