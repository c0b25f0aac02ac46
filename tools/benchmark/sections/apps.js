'use strict'

const { available, contenders } = require('../contenders')
const { Child } = require('../support/children')
const { pinnedTo, twoCores } = require('../support/cores')
const { load, Servers } = require('../support/servers')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/measurement')

const SIZE = 2048
const WARMUP = 400

/** Measures apps under load, with pages that read the session and pages that write it. */
async function measureApps(bench) {
  const { connections, time } = bench.plan.apps
  const results = []
  for (const framework of ['express', 'koa']) {
    const names = bench.plan.apps[framework]
    const pages = ['read', 'write']
    results.push(...(await measurePages({ framework, names, pages, connections, time }, bench)))
  }
  return results
}

/**
 * Measures Express pages that read the session, in an app that may use one core. The load and the servers use a second one.
 * Null if that is not possible.
 */
async function measureOneCore(bench) {
  const { cores, reason } = twoCores()
  if (reason !== undefined) {
    bench.note(`Apps on one core are left out: ${reason}.`)
    return null
  }
  const [prefix, others] = cores.map(pinnedTo)
  const { contenders: names, ...settings } = bench.plan.oneCore
  const servers = new Servers(bench.environment, [SIZE], others)
  try {
    const plan = { framework: 'express', names, pages: ['read'], ...settings, prefix, loadPrefix: others }
    const [result] = await measurePages(plan, { ...bench, servers })
    return result
  } finally {
    await servers.close()
  }
}

/** `prefix` and `loadPrefix`: words before the commands of the apps and of their load. */
async function measurePages({ framework, pages, prefix, ...settings }, { plan, environment, servers, note, progress }) {
  const names = available(settings.names, note)
  const apps = new Map()
  try {
    for (const name of names) {
      const child = new Child('app.js', { env: environment.variables(), args: [framework, name], prefix })
      apps.set(name, { child })
      const { layout, server = 'http' } = contenders[name]
      const options = { endpoint: await servers.endpoint(server), table: tableOf(layout, SIZE) }
      apps.get(name).url = await child.ask({ ask: 'open', size: SIZE, ...options })
      for (const page of pages) await sample(apps.get(name), page, { ...settings, time: WARMUP })
    }
    const results = []
    for (const page of pages) {
      progress(`apps: ${framework}, pages that ${page} the session${prefix ? ', on one core' : ''}`)
      const figures = await interleaved(names, plan.rounds, (name) => sample(apps.get(name), page, settings))
      results.push({ framework, page, contenders: figures })
    }
    return results
  } finally {
    for (const { child } of apps.values()) await child.end()
  }
}

async function sample({ child, url }, page, { connections, time, loadPrefix }) {
  const settings = { url, path: `/${page}`, connections, time, warmup: WARMUP, prefix: loadPrefix }
  const { failures, ...seen } = await load(settings, () => child.ask({ ask: 'begin' }))
  if (failures > 0) throw new Error(`${failures} requests of ${settings.path} failed`)
  return { ...seen, ...(await child.ask({ ask: 'end' })) }
}

module.exports = { measureApps, measureOneCore }
