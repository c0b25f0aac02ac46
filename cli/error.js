'use strict'

/** What the process ends with; the help tells them. */
const exitCodes = { done: 0, failed: 1, usage: 2, notFound: 3, interrupted: 130 }

/** Ends the command with a message and an exit code. */
class CommandError extends Error {
  constructor(message, { exitCode = exitCodes.failed, code = 'Failed', todo } = {}) {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.todo = todo
  }
}

/** The command line cannot be meant. */
function usageError(message) {
  return new CommandError(message, { exitCode: exitCodes.usage, code: 'UsageError' })
}

module.exports = { CommandError, exitCodes, usageError }
