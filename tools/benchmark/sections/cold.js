'use strict'

const { contenders } = require('../contenders')
const { Child } = require('../support/children')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/statistics')

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

module.exports = { measureColdStart, startOnce }
