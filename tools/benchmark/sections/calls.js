'use strict'

const { available, contenders } = require('../contenders')
const { Child } = require('../support/children')
const { tableOf } = require('../support/sessions')
const { interleaved } = require('../support/measurement')

const WARMUP = 50

/** Measures operations of the stores, without an app, by server, session size, and number in flight. */
async function measureCalls({ plan, environment, servers, embedded, note, progress }) {
  const wanted = [...new Set(plan.calls.flatMap((cell) => cell.contenders))]
  const taking = available(wanted, note)
  const children = new Map()
  const variables = environment.variables({ extraAuthority: await servers.authority() })
  for (const name of taking) children.set(name, new Child('calls.js', { env: variables, args: [name] }))
  const endpointOf = (server) => (server === 'embedded' ? embedded.endpoint : servers.endpoint(server))
  const placeOf = async (name, { server, size }) => {
    return { endpoint: await endpointOf(contenders[name].server ?? server), size }
  }
  const prepared = new Set()

  async function prepare(name, { server, size }) {
    const key = `${name} ${server} ${size}`
    if (prepared.has(key)) return
    const { layout } = contenders[name]
    const where = await placeOf(name, { server, size })
    if (server === 'embedded') await embedded.createTable(tableOf(layout, size), layout)
    if (server === 'embedded' || layout === null) await children.get(name).ask({ ask: 'putSessions', ...where })
    const warmup = {
      ask: 'sample',
      ...where,
      inFlight: 64,
      warmup: 0,
      time: plan.firstWarmup / (prepared.has(name) ? 5 : 1)
    }
    for (const operation of ['get', 'set', 'touch']) await children.get(name).ask({ ...warmup, operation })
    prepared.add(key).add(name)
  }

  const results = []
  try {
    for (const cell of uniqueCells(plan.calls)) {
      const { server, operation, size, inFlight, time } = cell
      progress(`calls: ${operation} of ${size} bytes, ${inFlight} in flight, ${server}`)
      const names = cell.contenders.filter((name) => children.has(name) && isPossible(name, cell))
      for (const name of names) await prepare(name, cell)
      const figures = await interleaved(names, plan.rounds, async (name) => {
        const where = await placeOf(name, cell)
        return children.get(name).ask({ ask: 'sample', ...where, operation, inFlight, warmup: WARMUP, time })
      })
      results.push({ server, operation, size, inFlight, contenders: figures })
    }
    const peaks = {}
    for (const [name, child] of children) peaks[name] = Math.round(await child.ask({ ask: 'peak' }))
    return { cells: results, peaks }
  } finally {
    for (const child of children.values()) await child.end()
  }
}

/** Removes the cells that an earlier and longer cell already measures. */
function uniqueCells(cells) {
  const keyOf = ({ server, operation, size, inFlight }) => [server, operation, size, inFlight].join()
  return cells.filter((cell, index) => cells.findIndex((other) => keyOf(other) === keyOf(cell)) === index)
}

/** The Koa stores have no touch. Contenders without a table are measured once only. */
function isPossible(name, { operation, server }) {
  const { returnsPromises, layout } = contenders[name]
  return !(returnsPromises && operation === 'touch') && !(layout === null && server !== 'http')
}

module.exports = { measureCalls }
