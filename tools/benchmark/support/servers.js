'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { writeFileSync } = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const { RawClient } = require('../../../__test__/support/raw-client')
const { createAuthority } = require('../../../__test__/support/tls')
const { startLocalDynamoDB } = require('../../local-dynamodb')
const { connection } = require('./environment')
const { startRedis } = require('./redis')
const { keys, tablesOf } = require('./sessions')

const root = path.join(__dirname, '..', '..', '..')
const targetDirectory = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')
const program = path.join(targetDirectory, 'tools', `bench-server${process.platform === 'win32' ? '.exe' : ''}`)

function words(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
}

/** Starts the program in ../server, after the words of `prefix`. Returns a function that reads its next output line. */
function start(command, options, prefix) {
  const [file, ...args] = [...prefix, program, command, ...words(options)]
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = once(child, 'error').then(([error]) => {
    throw new Error('bench-server does not start; `npm run build:bench` builds it', { cause: error })
  })
  failed.catch(() => {})
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const { value } = await Promise.race([lines.next(), failed])
    if (value === undefined) throw new Error(`bench-server ${command} ended early`)
    return value
  }
  return { child, line }
}

/** Loopback servers that respond from memory. Each starts when first needed and ends with this process. */
class Servers {
  #running = new Map()
  #environment
  #sizes
  #prefix
  #authority

  /** `prefix`: words before the command of each server, such as those of `pinnedTo`. */
  constructor(environment, sizes, prefix = []) {
    this.#environment = environment
    this.#sizes = sizes
    this.#prefix = prefix
  }

  /**
   * The endpoint of a server: `http`, `https`, one that delays responses by some milliseconds, such as `2ms`, or `redis`,
   * which is a Redis server.
   */
  async endpoint(kind) {
    if (!this.#running.has(kind)) this.#running.set(kind, await this.#start(kind))
    return this.#running.get(kind).endpoint
  }

  /** The file with the CA certificate of the `https` server. */
  async authority() {
    this.#authority ??= await createAuthority()
    return this.#authority.file
  }

  async #start(kind) {
    if (kind === 'redis') return startRedis(this.#environment.newFolder('redis-'), this.#prefix)
    const items = this.#environment.file(`items-${kind}.json`)
    writeFileSync(items, JSON.stringify(tablesOf(this.#sizes)))
    const options = { items }
    if (kind === 'https') Object.assign(options, await this.#certificate())
    if (kind.endsWith('ms')) options.delay = parseInt(kind)
    const { child, line } = start('serve', options, this.#prefix)
    return { child, endpoint: await line() }
  }

  async #certificate() {
    await this.authority()
    const { cert, key } = await this.#authority.issue()
    const files = { certificate: this.#environment.file('certificate.pem'), key: this.#environment.file('key.pem') }
    writeFileSync(files.certificate, cert)
    writeFileSync(files.key, key)
    return files
  }

  async close() {
    this.#authority?.remove()
    for (const { child } of this.#running.values()) {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
  }
}

/** Loads an app. Calls `warm` when the measurement begins. Resolves to the figures. */
async function load({ url, path: page, connections, warmup, time, prefix = [] }, warm) {
  const { line } = start('load', { host: new URL(url).host, path: page, connections, warmup, time }, prefix)
  await line()
  await warm()
  return JSON.parse(await line())
}

/** The in-memory DynamoDB that the tests use. */
async function startEmbedded() {
  const { endpoint, close } = await startLocalDynamoDB()
  const raw = new RawClient({ endpoint, ...connection })
  return {
    endpoint,
    async createTable(table, layout) {
      if (!(await raw.tableExists(table))) await raw.createTable(table, keys[layout])
    },
    async close() {
      raw.close()
      await close()
    }
  }
}

module.exports = { load, Servers, startEmbedded }
