'use strict'

const { spawn, spawnSync } = require('node:child_process')
const readline = require('node:readline')
const { freePort } = require('../../../__test__/support/free-port')

const PROGRAM = 'redis-server'
const ATTEMPTS = 5

// The shell ends the server when this process closes its input, or ends in any way.
const UNTIL_INPUT_ENDS = '"$@" < /dev/null & exec >&-; read line; kill $! && wait $!'

/** Why there is no Redis server, or null. */
function missingRedis() {
  const { status } = spawnSync(PROGRAM, ['--version'])
  return status === 0 ? null : `${PROGRAM} is not installed`
}

/** Starts a Redis server without persistence. `prefix` is what stands before the command. */
async function startRedis(folder, prefix) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = await freePort()
    const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder }
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    const command = [...prefix, PROGRAM, ...words]
    const child = spawn('sh', ['-c', UNTIL_INPUT_ENDS, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (await isReady(child)) return { child, endpoint: `redis://127.0.0.1:${port}` }
    child.stdin.end()
  }
  throw new Error(`${PROGRAM} does not start`)
}

/** Resolves when the server accepts connections, or to false if it ends first. */
function isReady(child) {
  const lines = readline.createInterface({ input: child.stdout })
  return new Promise((resolve) => {
    lines.on('line', (line) => line.includes('Ready to accept connections') && resolve(true))
    lines.on('close', () => resolve(false))
  })
}

module.exports = { missingRedis, startRedis }
