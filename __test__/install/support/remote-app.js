'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const readline = require('node:readline')
const { cleanEnvironment } = require('../../support/child')

const [express] = require('../../contract/frameworks/express')

/** A framework of the contract whose app runs in a child process. `prepare` returns the command. */
function remoteApp(name, dynamodb, prepare, { abilities } = express) {
  let prepared
  async function start({ storeOptions, pause, ...options }) {
    const { command, args, cwd } = await (prepared ??= prepare())
    const app = { ...options, store: dynamodb.options(storeOptions) }
    const child = spawn(command, args, { cwd, env: { ...cleanEnvironment(), APP: JSON.stringify(app) } })
    const exited = once(child, 'close')
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    const lines = readline.createInterface({ input: child.stdout })
    const listening = new Promise((resolve) => lines.on('line', (line) => line.startsWith('http') && resolve(line)))
    const url = await Promise.race([
      listening,
      exited.then(([code]) => assert.fail(`${name} exited with code ${code} before it listened:\n${errors}`))
    ])
    lines.on('line', async (line) => {
      if (line !== 'paused') return
      await pause()
      child.stdin.write('resume\n')
    })
    return {
      url,
      async close() {
        child.stdin.end()
        assert.deepEqual(await exited, [0, null], errors)
      }
    }
  }
  return { name, abilities, start }
}

module.exports = { remoteApp }
