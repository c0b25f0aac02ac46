'use strict'

// Compares this store with the packages it replaces and with lower and upper bounds, in one run.
//   --quick         a shorter run of a few minutes
//   --smoke         the shortest run of every part; its figures mean nothing
//   --only a,b      runs only these sections: calls, apps, oneCore, cold, warm, memory, cost, size
//   --out folder    writes the report to this folder; a full run without `--only` writes it to tools/benchmark/results
// `npm run bench` builds the programs that it needs.

const path = require('node:path')
const { parseArgs } = require('node:util')
const { SIZES, plans } = require('./plan')
const { machine } = require('./report/format')
const { printed } = require('./report/tables')
const { targetsOf, targetsTable } = require('./report/targets')
const { writeReport } = require('./report/write')
const { Environment } = require('./support/environment')
const { Servers, startEmbedded } = require('./support/servers')

const sections = {
  calls: (bench) => require('./sections/calls').measureCalls(bench),
  apps: (bench) => require('./sections/apps').measureApps(bench),
  oneCore: (bench) => require('./sections/apps').measureOneCore(bench),
  cold: (bench) => require('./sections/processes').measureColdStart(bench),
  warm: (bench) => require('./sections/processes').measureWarm(bench),
  memory: (bench) => require('./sections/processes').measureMemory(bench),
  cost: (bench) => require('./sections/cost').measureCost(bench),
  size: (bench) => require('./sections/size').measureSize(bench)
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    smoke: { type: 'boolean' },
    only: { type: 'string' },
    out: { type: 'string' }
  }
})

async function main() {
  const kind = options.smoke ? 'smoke' : options.quick ? 'quick' : 'full'
  const wanted = options.only?.split(',') ?? Object.keys(sections)
  const unknown = wanted.find((name) => !(name in sections))
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: unknown section; the sections are ${Object.keys(sections).join(', ')}`)

  const began = Date.now()
  const results = { kind, machine: machine(), rounds: plans[kind].rounds, notes: [] }
  await measure(wanted, results)
  results.seconds = Math.round((Date.now() - began) / 1000)
  results.targets = targetsOf(results)

  console.log(printed(results))
  console.log(targetsTable(results.targets))
  console.log(`\n${results.seconds} seconds`)
  const isReport = options.only === undefined && kind === 'full'
  const folder = options.out ?? (isReport ? path.join(__dirname, 'results') : undefined)
  if (folder !== undefined) writeReport(results, folder, { updateReadme: options.out === undefined })
}

async function measure(wanted, results) {
  const environment = new Environment()
  const servers = new Servers(environment, SIZES)
  const embedded = await startEmbedded()
  const note = (text) => results.notes.includes(text) || results.notes.push(text)
  const progress = (text) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)}  ${text}\n`)
  const bench = { plan: plans[results.kind], environment, servers, embedded, note, progress }
  try {
    for (const name of wanted) results[name] = await sections[name](bench)
  } finally {
    await servers.close()
    await embedded.close()
    environment.remove()
  }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
