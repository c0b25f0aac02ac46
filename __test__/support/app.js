'use strict'

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const { cleanEnvironment, root } = require('./child')

/** Answers calls of its store for as long as its parent is there; prints what it must never print. */
const program = `
  const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
  const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
  const plain = ({ code, message, cause, $metadata }) => ({ code, message, cause: cause?.message, ...$metadata })
  process.on('message', async ({ id, method, args }) => {
    const start = performance.now()
    const answer = await store[method](...args).then((value) => ({ value }), (error) => ({ error: plain(error) }))
    process.send({ id, took: performance.now() - start, ...answer })
  })
  process.on('disconnect', () => process.exit())
  process.send({ id: 'ready' })
`

/** An app with one store in a process of its own, which can be stopped, starved and watched. */
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
    this.#child.on('message', ({ id, ...answer }) => {
      this.#calls.get(id).resolve(answer)
      this.#calls.delete(id)
    })
    this.#child.on('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the app has ended: ${this.#stderr}`))
    })
  }

  get pid() {
    return this.#child.pid
  }

  /** Calls a method of the store; gives { value, error, took }. */
  call(method, ...args) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, method, args })
    })
  }

  stop() {
    this.#child.kill('SIGSTOP')
  }

  resume() {
    this.#child.kill('SIGCONT')
  }

  /** The numbers of its open files and sockets, on Linux. */
  get openFiles() {
    return fs.readdirSync(`/proc/${this.pid}/fd`).map(Number)
  }

  /** From now on it can open this many files and sockets more, on Linux. */
  allowFiles(more) {
    const open = new Set(this.openFiles)
    let limit = 0
    for (let allowed = 0; open.has(limit) || allowed++ < more;) limit += 1
    spawnSync('prlimit', [`--pid=${this.pid}`, `--nofile=${limit}:`])
  }

  /** The resident memory in MB, and the most that it ever was, on Linux. */
  get memory() {
    const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const [now, most] = ['VmRSS', 'VmHWM'].map((name) => status.match(`${name}:\\s+(\\d+)`)[1] / 1024)
    return { now, most }
  }

  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}

module.exports = { App }
