'use strict'

const { exitCodes } = require('./error.js')

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

module.exports = { listenForInterrupt }
