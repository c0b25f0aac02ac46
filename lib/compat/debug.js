'use strict'

/**
 * Prints a line as dynamodb-store and koa-session-dynamodb-store do, if DYNAMODB_STORE_DEBUG is set. `messageOf`
 * returns the message.
 */
function debug(messageOf, details) {
  if (!process.env.DYNAMODB_STORE_DEBUG) return
  console.log(`${new Date()} - DYNAMODB_STORE: ${messageOf()}`, details === undefined ? '' : JSON.stringify(details))
}

module.exports = { debug }
