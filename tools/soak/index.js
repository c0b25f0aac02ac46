'use strict'

const { parseArgs } = require('node:util')
const { problemsOf, soak } = require('./soak')

async function main() {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' }, users: { type: 'string' } }
  const { minutes = 10, seed = Date.now() % 2 ** 31, users = 200 } = parseArgs({ options }).values
  console.log(`seed ${seed}`)
  const outcome = await soak({ minutes: Number(minutes), seed: Number(seed), users: Number(users), log: console.log })
  const problems = problemsOf(outcome)
  for (const problem of problems) console.error(problem)
  console.log(`${outcome.responses} responses, ${outcome.faults} faults, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

main()
