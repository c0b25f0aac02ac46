'use strict'

const { userReader } = require('../lib/protection-options.js')
const { CommandError } = require('./error.js')

/** Errors that only one session causes: the service or the codec does not accept its item, or its user is not valid. */
const codes = ['ValidationException', 'SerializationException', 'SerializationError', 'InvalidUser']

/** The largest number of different reasons that a run counts separately. */
const MAX_REASONS = 20

/**
 * Counts the reason of an error that only one session causes in `reasons`. Rethrows any other error, which ends the run.
 * The message of the service does not contain values of the item.
 */
function countSessionError(error, reasons) {
  if (!codes.includes(error.code)) throw error
  countReason(error.message.replace(/^\w+ on table "[^"]*": /, '').slice(0, 120), reasons)
}

/** Counts a reason. Items with junk can have any number of reasons, so the rarer ones are counted together. */
function countReason(reason, reasons) {
  const isKnown = Object.hasOwn(reasons, reason) || Object.keys(reasons).length < MAX_REASONS
  const name = isKnown ? reason : 'other reasons'
  reasons[name] = (reasons[name] ?? 0) + 1
}

/** Why the session of a decoded item cannot be read. */
function whyUnreadable({ form, keyId, lacksKey }) {
  if (lacksKey) return `encrypted under the key ${keyId}, which is in no given key file`
  if (form === 'encrypted') {
    return `cannot be decrypted: the key ${keyId} differs from the one that encrypted it, or the item was changed or copied from a different session`
  }
  return 'not a JSON object'
}

/** Why a session must not be encrypted, or undefined. `options` are those with the keys that can read it. */
function whyNotAccepted({ form }, { encryption, acceptsPlain, side }) {
  if (form === 'encrypted' || encryption === undefined || acceptsPlain) return undefined
  const option = side === undefined ? '--accept-plain' : `--${side}-accept-plain`
  return `plain: to encrypt it too, set ${option}, but only while the app accepts plain sessions`
}

/** A function that returns the user of a session, or undefined. */
function userReaderOf({ user }) {
  if (user === undefined) return () => undefined
  const read = userReader(user)
  return (session) => {
    try {
      return read(session)
    } catch ({ message }) {
      throw new CommandError(message, { code: 'InvalidUser' })
    }
  }
}

module.exports = { countReason, countSessionError, userReaderOf, whyNotAccepted, whyUnreadable }
