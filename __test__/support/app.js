'use strict'

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const { cleanEnvironment, root } = require('./child')

/** Calls the store for its parent until the parent disconnects. */
const program = `
  const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
  const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
  const plain = ({ code, message, cause, $metadata }) => ({ code, message, cause: cause?.message, ...$metadata })
  process.on('message', async ({ id, method, args }) => {
    const start = performance.now()
    const result = await store[method](...args).then((value) => ({ value }), (error) => ({ error: plain(error) }))
    process.send({ id, took: performance.now() - start, ...result })
  })
  process.on('disconnect', () => process.exit())
  process.send({ id: 'ready' })
`

/** A child process with one store. It can be suspended, run out of file descriptors, and be measured. */
class App {
  #child
  #ready
  #calls = new Map()
  #lastId = 0
  #stderr = ''

  static async start(t, options, env = {}) {
    const app = new App(options, env)
    t.after(() => app.end())
    await app.#ready
    return app
  }

  constructor(options, env) {
    this.#child = spawn(process.execPath, ['-e', program], {
      cwd: root,
      env: { ...cleanEnvironment(), DYNAMODB_SESSION: root, OPTIONS: JSON.stringify(options), ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    this.#child.stderr.on('data', (chunk) => (this.#stderr += chunk))
    this.#ready = new Promise((resolve, reject) => this.#calls.set('ready', { resolve, reject }))
    this.#child.on('message', ({ id, ...result }) => {
      this.#calls.get(id).resolve(result)
      this.#calls.delete(id)
    })
    this.#child.on('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the app exited: ${this.#stderr}`))
    })
  }

  get pid() {
    return this.#child.pid
  }

  /** Calls a method of the store; returns { value, error, took }. */
  call(method, ...args) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, method, args })
    })
  }

  suspend() {
    this.#child.kill('SIGSTOP')
  }

  resume() {
    this.#child.kill('SIGCONT')
  }

  /** The open file descriptors, sockets included (Linux only). */
  get openFiles() {
    return fs.readdirSync(`/proc/${this.pid}/fd`).map(Number)
  }

  /** Limits how many more file descriptors it can open (Linux only). */
  allowFiles(more) {
    const open = new Set(this.openFiles)
    let limit = 0
    for (let allowed = 0; open.has(limit) || allowed++ < more;) limit += 1
    spawnSync('prlimit', [`--pid=${this.pid}`, `--nofile=${limit}:`])
  }

  /** The resident memory in MB, now and at its peak (Linux only). */
  get memory() {
    const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const [now, peak] = ['VmRSS', 'VmHWM'].map((name) => status.match(`${name}:\\s+(\\d+)`)[1] / 1024)
    return { now, peak }
  }

  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}

module.exports = { App }
