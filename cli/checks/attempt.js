'use strict'

/** Sends a request. Resolves to its value, or to the error of the store or the service. */
async function attempt(send) {
  try {
    return { value: await send() }
  } catch (error) {
    if (typeof error.code !== 'string') throw error
    return { error }
  }
}

module.exports = { attempt }
