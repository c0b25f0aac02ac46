'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

/** A process that does what it is asked for, one thing at a time. It ends with this one. */
class Child {
  #process
  #errors = ''
  #exit

  /** `program` is a file of `../children`. */
  constructor(program, { env, args = [], execArgv = [] }) {
    const file = path.join(__dirname, '..', 'children', program)
    this.name = [program, ...args].join(' ')
    this.#process = fork(file, args, { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#process.stderr.on('data', (text) => (this.#errors = (this.#errors + text).slice(-5000)))
    this.#exit = once(this.#process, 'exit')
  }

  /** Sends a message and resolves to the answer. */
  async ask(question) {
    this.#process.send(question)
    return this.answer()
  }

  async answer() {
    const failed = this.#exit.then(() => {
      throw new Error(`${this.name} ended early: ${this.#errors}`)
    })
    failed.catch(() => {})
    const [answer] = await Promise.race([once(this.#process, 'message'), failed])
    if (answer?.error !== undefined) throw new Error(`${this.name}: ${answer.error}`)
    return answer
  }

  async end() {
    if (this.#process.connected) this.#process.disconnect()
    await this.#exit
  }
}

/** In a child: answers each message with what the method of its `ask` gives. */
function serve(methods) {
  process.once('disconnect', () => process.exit())
  process.on('message', async ({ ask, ...question }) => {
    try {
      process.send((await methods[ask](question)) ?? null)
    } catch (error) {
      process.send({ error: error.stack })
    }
  })
}

module.exports = { Child, serve }
