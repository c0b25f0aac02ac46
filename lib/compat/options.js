'use strict'

const { defined, optionsOf, readOptions } = require('../options.js')

const warned = new Set()
const ofClients = ['region', 'endpoint', 'profile', 'credentials']

/** Tells something about a face once in the life of the process. */
function warnOnce(face, message) {
  const text = `${face}: ${message}`
  if (warned.has(text)) return
  warned.add(text)
  process.emitWarning(text, { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_FACE' })
}

/**
 * The native options among `given`, with their defaults. `own` are the names that the face reads itself.
 * An app that runs today is not stopped: what cannot be meant is left out, and told once.
 */
function nativeOptions(face, given, own) {
  const others = optionsOf(given)
  for (const name of own) delete others[name]
  const options = readOptions(others, (complaint) => warnOnce(face, `${complaint} (it is left out)`))
  // A client has its own; they have been complained about.
  if (options.client !== undefined) for (const name of ofClients) delete options[name]
  return options
}

module.exports = { defined, nativeOptions, optionsOf, warnOnce }
