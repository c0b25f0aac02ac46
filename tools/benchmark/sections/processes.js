'use strict'

const { available, contenders } = require('../contenders')
const { Child } = require('../support/children')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/measurement')

const WAYS = ['http environment', 'http file', 'https environment', 'https file']
const SIZE = 2048

// How many stores and gets `measureStores` measures at a time.
const MANY = { idle: 200, concurrent: 1000 }

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

/** Measures the milliseconds of the first two gets over TLS of a process, without and with `warm` before them. */
async function measureWarm({ plan, environment, servers, progress }) {
  const { contenders: names, processes } = plan.warm
  progress('warm: the first two gets')
  const modes = Object.fromEntries(names.map((name) => [name, { name, mode: 'twice' }]))
  modes.warm = { name: 'dynamodb-session', mode: 'warm' }
  return interleaved(Object.keys(modes), processes, (key) =>
    startOnce(modes[key].name, {
      environment,
      servers,
      server: 'https',
      credentials: 'environment',
      mode: modes[key].mode
    })
  )
}

/**
 * Measures the memory of an idle process that has read one session, how much it grows over many operations, and the memory
 * of stores.
 */
async function measureMemory(bench) {
  const { plan, environment, servers, progress } = bench
  const { idle: names, processes, growing, operations } = plan.memory
  progress('memory: idle')
  const idle = await interleaved(['bare', ...names], processes, (name) =>
    startOnce(name, { environment, servers, server: 'https', credentials: 'environment', mode: 'stay' })
  )
  progress(`memory: ${operations} operations`)
  const child = new Child('calls.js', { env: environment.variables(), args: [growing], execArgv: ['--expose-gc'] })
  const endpoint = await servers.endpoint('http')
  const { course, growth } = await child.ask({ ask: 'work', endpoint, size: SIZE, operations, inFlight: 64 })
  await child.end()
  const stores = await measureStores(bench)
  return { idle, stores, growing, operations, course: course.map(Math.round), growth: Math.round(growth * 10) / 10 }
}

/** Measures the memory of one of many idle stores in a process in KB, and that of 1,000 concurrent gets in MB. */
function measureStores({ plan, environment, servers, note, progress }) {
  progress('memory: stores')
  return interleaved(available(plan.memory.stores, note), plan.memory.processes, async (name) => {
    const { layout, server = 'http' } = contenders[name]
    const options = { endpoint: await servers.endpoint(server), table: tableOf(layout, SIZE), size: SIZE }
    const figures = {}
    for (const [ask, count] of Object.entries(MANY)) {
      const child = new Child('memory.js', {
        env: environment.variables(),
        args: [name],
        execArgv: ['--expose-gc']
      })
      figures[ask] = await child.ask({ ask, count, ...options })
      await child.end()
    }
    return figures
  })
}

/** Starts a process that reads one session, and returns the figures that it reports. */
async function startOnce(name, { environment, servers, server, credentials, mode }) {
  const authority = server === 'https' ? await servers.authority() : undefined
  const env = environment.variables({ credentials, authority })
  const table = tableOf(contenders[name]?.layout, SIZE)
  const args = [await servers.endpoint(server), table, name, ...(mode ? [mode] : [])]
  const child = new Child('cold.js', { env, args })
  const figures = await child.response()
  await child.end()
  return figures
}

module.exports = { measureColdStart, measureMemory, measureWarm }
