'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { problemsOf, soak } = require('../../tools/soak/soak')
const { serverKind } = require('../support/server')

const MINUTES = 2
const skip = serverKind !== 'embedded' && 'tests the store, not the server'

test(`an app with 200 users loses no session in ${MINUTES} minutes of random faults`, { skip }, async (t) => {
  const seed = Number(process.env.SOAK_SEED ?? 1)
  t.diagnostic(`seed ${seed}`)
  const outcome = await soak({ minutes: MINUTES, seed, log: (line) => t.diagnostic(line) })
  assert.deepEqual(problemsOf(outcome), [])
})
