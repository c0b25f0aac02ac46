'use strict'

const { once } = require('node:events')
const { openSync } = require('node:fs')
const { createInterface } = require('node:readline/promises')
const { WriteStream } = require('node:tty')
const { exitCodes } = require('./error.js')

const BAR = 30
const REDRAW_AFTER = 100

/** What the command prints: its result on stdout, all else on stderr. */
class Output {
  #json
  #stdout
  #stderr
  #drawn = 0
  #isDrawn = false

  constructor({ json, stdout = process.stdout, stderr = process.stderr }) {
    this.#json = json
    this.#stdout = stdout
    this.#stderr = stderr
  }

  /** The result: an object for scripts, or the lines for people. */
  result(object, lines) {
    this.clear()
    if (this.#json) this.json(object)
    else this.text(visible(lines.join('\n')))
  }

  text(text) {
    this.#stdout.write(`${text}\n`)
  }

  json(object) {
    if (this.#json) this.#stdout.write(`${JSON.stringify(object, null, 2)}\n`)
  }

  note(text) {
    this.clear()
    this.#stderr.write(`${visible(text)}\n`)
  }

  /** A bar on a terminal, redrawn a few times a second; elsewhere nothing. */
  progress(done, total, words) {
    if (!this.#stderr.isTTY || performance.now() - this.#drawn < REDRAW_AFTER) return
    this.#drawn = performance.now()
    this.#isDrawn = true
    this.#stderr.write(`\r\x1b[K${bar(done, total)} ${words}`)
  }

  clear() {
    if (this.#isDrawn) this.#stderr.write('\r\x1b[K')
    this.#isDrawn = false
  }

  /**
   * Asks the person at the terminal, on the first of stderr, stdout, and the terminal itself that they can see. Where
   * standard input is no terminal, nobody can answer, and a script goes on.
   */
  async confirm(question) {
    if (!process.stdin.isTTY) return true
    const screen = [this.#stderr, this.#stdout].find(({ isTTY }) => isTTY) ?? terminal()
    if (screen === undefined) return false
    const prompt = createInterface({ input: process.stdin, output: screen })
    prompt.once('SIGINT', () => process.exit(exitCodes.interrupted))
    // The end of the input is no answer.
    const closed = once(prompt, 'close').then(() => '')
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed])
    prompt.close()
    if (screen !== this.#stderr && screen !== this.#stdout) screen.destroy()
    return /^y(es)?$/i.test(answer.trim())
  }
}

/** The terminal of the process, or undefined when it cannot be opened. */
function terminal() {
  try {
    return new WriteStream(openSync(process.platform === 'win32' ? '\\\\.\\CON' : '/dev/tty', 'w'))
  } catch {
    return undefined
  }
}

/** A session, an id or a name may hold signs that a terminal obeys. */
function visible(text) {
  return text.replace(/[^\P{Cc}\n]/gu, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function bar(done, total) {
  // The table's count of items is some hours old.
  const share = total > 0 ? Math.min(done / total, 1) : 0
  const filled = Math.round(share * BAR)
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %`
}

module.exports = { Output }
