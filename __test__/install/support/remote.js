'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const readline = require('node:readline')
const { cleanEnvironment } = require('../../support/child')

const [express] = require('../../contract/frameworks/express')

/** An app of the contract in a process of its own, which `prepare` says how to start. */
function remote(name, dynamodb, prepare, { abilities } = express) {
  let prepared
  async function start({ storeOptions, pause, ...options }) {
    const { command, args, cwd } = await (prepared ??= prepare())
    const app = { ...options, store: dynamodb.options(storeOptions) }
    const child = spawn(command, args, { cwd, env: { ...cleanEnvironment(), APP: JSON.stringify(app) } })
    const ended = once(child, 'close')
    let complaints = ''
    child.stderr.on('data', (chunk) => (complaints += chunk))
    const lines = readline.createInterface({ input: child.stdout })
    const served = new Promise((resolve) => lines.on('line', (line) => line.startsWith('http') && resolve(line)))
    const url = await Promise.race([
      served,
      ended.then(([code]) => assert.fail(`${name} ended with ${code} before it served:\n${complaints}`))
    ])
    lines.on('line', async (line) => {
      if (line !== 'waiting') return
      await pause()
      child.stdin.write('go on\n')
    })
    return {
      url,
      async close() {
        child.stdin.end()
        assert.deepEqual(await ended, [0, null], complaints)
      }
    }
  }
  return { name, abilities, start }
}

module.exports = { remote }
