'use strict'

const { ItemCodec } = require('../../lib/native/item-codec.js')
const { userReaderOf } = require('../session-errors.js')

/**
 * Counts how the users of sessions are stored. `sessions` are decoded items. `keyIds` are the IDs of the keys that hash
 * users, one for each session. `plain` users are not hashed, `missed` ones are not in the attribute, `nobody` counts
 * sessions without a user, and `kept` those that have only the attribute.
 */
function countUsers(sessions, options) {
  const readUser = userReaderOf(options)
  const hashers = hashersOf(options)
  const counts = { keyIds: [], plain: 0, missed: 0, nobody: 0, kept: 0 }
  for (const { session, user: stored } of sessions) {
    const user = userOf(session, readUser)
    const hasher = user === undefined ? undefined : hashers.find(({ hash }) => hash(user) === stored)
    if (user === undefined) counts[stored === undefined ? 'nobody' : 'kept'] += 1
    else if (hasher === undefined) counts[stored === user ? 'plain' : 'missed'] += 1
    else counts.keyIds.push(hasher.id)
  }
  return counts
}

/** The user of a session, or undefined if it has none, or an invalid one. */
function userOf(session, readUser) {
  try {
    return readUser(session)
  } catch {
    return undefined
  }
}

/** For each key, its ID and a function that hashes a user under it. */
function hashersOf(options) {
  return options.encryption.keys().map((key) => {
    const codec = new ItemCodec({ ...options, encryption: { keys: () => [key], write: true } })
    const hash = (user) => codec.encode('', {}, undefined, undefined, user)[options.attributes.user].S
    return { id: key.id, hash }
  })
}

module.exports = { countUsers }
