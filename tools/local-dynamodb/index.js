'use strict'

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const readline = require('node:readline')

const root = path.join(__dirname, '..', '..')
const targetDirectory = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')
const program = path.join(targetDirectory, 'tools', `local-dynamodb${process.platform === 'win32' ? '.exe' : ''}`)

/** Builds the program if it is out of date, and shows Cargo's progress. */
function buildLocalDynamoDB() {
  const { status, error } = spawnSync('cargo', ['build', '--profile', 'tools', '-p', 'local-dynamodb'], {
    cwd: root,
    stdio: 'inherit'
  })
  if (status !== 0) throw new Error('Cargo could not build local-dynamodb', { cause: error })
}

/** Starts a new in-memory DynamoDB. It ends with `close()` or with this process. */
async function startLocalDynamoDB() {
  const server = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = once(server, 'error').then(([error]) => {
    throw new Error('local-dynamodb does not start. Build it with `npm run build:local-dynamodb`.', { cause: error })
  })
  const lines = readline.createInterface({ input: server.stdout })
  const [endpoint] = await Promise.race([once(lines, 'line'), failed])
  for (const handle of [server, server.stdin, server.stdout]) handle.unref()
  return {
    endpoint,
    async close() {
      server.ref()
      server.stdin.end()
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    }
  }
}

module.exports = { buildLocalDynamoDB, startLocalDynamoDB }
