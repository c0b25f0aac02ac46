'use strict'

const { available, contenders } = require('../contenders')
const { Child } = require('../support/children')
const { load } = require('../support/servers')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/measurement')

const SIZE = 2048
const WARMUP = 400

/** Measures apps under load, with pages that read the session and pages that write it. */
async function measureApps({ plan, environment, servers, note, progress }) {
  const results = []
  for (const framework of ['express', 'koa']) {
    results.push(...(await measureFramework(framework, { plan, environment, servers, note, progress })))
  }
  return results
}

async function measureFramework(framework, { plan, environment, servers, note, progress }) {
  const { connections, time, rounds = plan.rounds } = plan.apps
  const names = available(plan.apps[framework], note)
  const apps = new Map()
  try {
    for (const name of names) {
      const child = new Child('app.js', { env: environment.variables(), args: [framework, name] })
      apps.set(name, { child })
      const options = { endpoint: await servers.endpoint('http'), table: tableOf(contenders[name].layout, SIZE) }
      apps.get(name).url = await child.ask({ ask: 'open', size: SIZE, ...options })
      for (const path of ['/read', '/write']) await sample(apps.get(name), path, { connections, time: WARMUP })
    }
    const results = []
    for (const page of ['read', 'write']) {
      progress(`apps: ${framework}, pages that ${page} the session`)
      const figures = await interleaved(names, rounds, (name) =>
        sample(apps.get(name), `/${page}`, { connections, time })
      )
      results.push({ framework, page, contenders: figures })
    }
    return results
  } finally {
    for (const { child } of apps.values()) await child.end()
  }
}

async function sample({ child, url }, path, { connections, time }) {
  const settings = { url, path, connections, time, warmup: WARMUP }
  const { failures, ...seen } = await load(settings, () => child.ask({ ask: 'begin' }))
  if (failures > 0) throw new Error(`${failures} requests of ${path} failed`)
  return { ...seen, ...(await child.ask({ ask: 'end' })) }
}

module.exports = { measureApps }
