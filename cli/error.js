'use strict'

/** Exit codes of the process. The help lists them. */
const exitCodes = { success: 0, failed: 1, usage: 2, notFound: 3, interrupted: 130 }

/** An error with a message for the user, an exit code, and, where possible, a hint on how to fix it. */
class CommandError extends Error {
  constructor(message, { exitCode = exitCodes.failed, code = 'Failed', hint } = {}) {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.hint = hint
  }
}

/** An error about invalid usage, such as an unknown option or an invalid value. */
function usageError(message) {
  return new CommandError(message, { exitCode: exitCodes.usage, code: 'UsageError' })
}

module.exports = { CommandError, exitCodes, usageError }
