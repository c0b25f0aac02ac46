'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

/** Waits until a condition holds, and throws after a time limit. */
async function eventually(condition, milliseconds = 5000) {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${condition}`)
    await sleep(5)
  }
}

module.exports = { eventually }
