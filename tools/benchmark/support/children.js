'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

/** A child process that handles one message at a time. It ends with this process. */
class Child {
  #process
  #errors = ''
  #exit

  /** `program` is a file in ../children. `prefix`: words before the command, such as those of `pinnedTo`. */
  constructor(program, { env, args = [], execArgv = [], prefix = [] }) {
    const file = path.join(__dirname, '..', 'children', program)
    this.name = [program, ...args].join(' ')
    const [execPath, ...words] = [...prefix, process.execPath, ...execArgv]
    this.#process = fork(file, args, { env, execPath, execArgv: words, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#process.stderr.on('data', (text) => (this.#errors = (this.#errors + text).slice(-5000)))
    this.#exit = once(this.#process, 'exit')
  }

  /** Sends a message and resolves to the response. */
  async ask(question) {
    this.#process.send(question)
    return this.response()
  }

  async response() {
    const failed = this.#exit.then(() => {
      throw new Error(`${this.name} ended early: ${this.#errors}`)
    })
    failed.catch(() => {})
    const [response] = await Promise.race([once(this.#process, 'message'), failed])
    if (response?.error !== undefined) throw new Error(`${this.name}: ${response.error}`)
    return response
  }

  async end() {
    if (this.#process.connected) this.#process.disconnect()
    await this.#exit
  }
}

/** In a child: responds to each message with the result of the method that its `ask` names. */
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
