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
const { keys, tablesOf } = require('./sessions')

const root = path.join(__dirname, '..', '..', '..')
const targetDirectory = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')
const program = path.join(targetDirectory, 'tools', `bench-server${process.platform === 'win32' ? '.exe' : ''}`)

function words(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
}

/** Starts the program in ../server. Its output lines are an async iterator. */
function start(command, options) {
  const child = spawn(program, [command, ...words(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
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
  #authority

  constructor(environment, sizes) {
    this.#environment = environment
    this.#sizes = sizes
  }

  /** The endpoint of a server: `http`, `https`, or one that delays responses by some milliseconds, such as `2ms`. */
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
    const items = this.#environment.file(`items-${kind}.json`)
    writeFileSync(items, JSON.stringify(tablesOf(this.#sizes)))
    const options = { items }
    if (kind === 'https') Object.assign(options, await this.#certificate())
    if (kind.endsWith('ms')) options.delay = parseInt(kind)
    const { child, line } = start('serve', options)
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
async function load({ url, path: page, connections, warmup, time }, warm) {
  const { line } = start('load', { host: new URL(url).host, path: page, connections, warmup, time })
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
