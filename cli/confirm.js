'use strict'

const { once } = require('node:events')
const { openSync } = require('node:fs')
const { createInterface } = require('node:readline/promises')
const { WriteStream } = require('node:tty')
const { CommandError, exitCodes } = require('./error.js')

/** Asks for confirmation, unless --yes is set. Throws if the answer is not yes. */
async function confirm(question, { yes }) {
  if (yes || (await ask(question))) return
  throw new CommandError('canceled, nothing was done', { code: 'NotConfirmed', hint: 'answer y, or use --yes' })
}

/**
 * Asks on stderr, stdout, or the terminal itself, whichever the user can see. If standard input is not a terminal,
 * nobody can answer, and the command proceeds, as scripts expect.
 */
async function ask(question) {
  if (!process.stdin.isTTY) return true
  const visibleStream = [process.stderr, process.stdout].find(({ isTTY }) => isTTY)
  const screen = visibleStream ?? openTerminal()
  if (screen === undefined) return false
  const prompt = createInterface({ input: process.stdin, output: screen })
  prompt.once('SIGINT', () => process.exit(exitCodes.interrupted))
  // The end of the input counts as no.
  const closed = once(prompt, 'close').then(() => '')
  const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed])
  prompt.close()
  if (visibleStream === undefined) screen.destroy()
  return /^y(es)?$/i.test(answer.trim())
}

/** The terminal of the process, or undefined if it cannot be opened. */
function openTerminal() {
  try {
    return new WriteStream(openSync(process.platform === 'win32' ? '\\\\.\\CON' : '/dev/tty', 'w'))
  } catch {
    return undefined
  }
}

module.exports = { confirm }
