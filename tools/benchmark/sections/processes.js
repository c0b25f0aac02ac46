'use strict'

const { contenders } = require('../contenders')
const { Child } = require('../support/children')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/measurement')

const WAYS = ['http environment', 'http file', 'https environment', 'https file']
const SIZE = 2048

/** Measures the milliseconds from process start to the first session, and those to load and construct the store. */
async function measureColdStart({ plan, environment, servers, progress }) {
  const { contenders: names, processes, ways = WAYS } = plan.cold
  const results = []
  for (const way of ways) {
    progress(`cold start: ${way}`)
    const [server, credentials] = way.split(' ')
    const figures = await interleaved(['bare', ...names], processes, (name) =>
      startOnce(name, { environment, servers, server, credentials })
    )
    results.push({ server, credentials, contenders: figures })
  }
  return results
}

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

/** Starts a process that reads one session, and returns the figures that it reports. */
async function startOnce(name, { environment, servers, server, credentials, stay }) {
  const authority = server === 'https' ? await servers.authority() : undefined
  const env = environment.variables({ credentials, authority })
  const table = tableOf(contenders[name]?.layout, SIZE)
  const args = [await servers.endpoint(server), table, name, ...(stay ? ['stay'] : [])]
  const child = new Child('cold.js', { env, args })
  const figures = await child.response()
  await child.end()
  return figures
}

module.exports = { measureColdStart, measureMemory }
