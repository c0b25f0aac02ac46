'use strict'

const { once } = require('node:events')
const { openSync } = require('node:fs')
const { createInterface } = require('node:readline/promises')
const { WriteStream } = require('node:tty')
const { CommandError, exitCodes } = require('./error.js')

/** Asks for confirmation, unless --yes is set. Throws if the user does not confirm. */
async function confirm(question, { yes }) {
  if (yes || (await ask(question))) return
  throw new CommandError('canceled: nothing was changed', { code: 'NotConfirmed', hint: 'answer y, or use --yes' })
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

const signals = ['SIGINT', 'SIGTERM']

/**
 * An abort signal for Ctrl-C and SIGTERM. A second one ends the process, after `beforeExit`. `release` restores the
 * default behavior.
 */
function listenForInterrupt(beforeExit = () => {}) {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) {
      beforeExit()
      process.exit(exitCodes.interrupted)
    }
    controller.abort()
  }
  for (const name of signals) process.on(name, interrupt)
  const release = () => {
    for (const name of signals) process.off(name, interrupt)
  }
  return { signal: controller.signal, release }
}

module.exports = { confirm, listenForInterrupt }
