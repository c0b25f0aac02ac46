'use strict'

const { parseArgs } = require('node:util')
const { complaintsAbout } = require('./check')
const { soak } = require('./soak')

async function main() {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' }, users: { type: 'string' } }
  const { minutes = 10, seed = Date.now() % 2 ** 31, users = 200 } = parseArgs({ options }).values
  console.log(`seed ${seed}`)
  const outcome = await soak({ minutes: Number(minutes), seed: Number(seed), users: Number(users), tell: console.log })
  const complaints = complaintsAbout(outcome)
  for (const complaint of complaints) console.error(complaint)
  console.log(`${outcome.answers} answers, ${outcome.faults} faults, ${complaints.length} complaints`)
  process.exitCode = complaints.length === 0 ? 0 : 1
}

main()
