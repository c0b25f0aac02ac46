'use strict'

/** The session of an item's text, or undefined if the text is not a JSON object. */
function parseSession(text) {
  try {
    const session = JSON.parse(text)
    return typeof session === 'object' && session !== null && !Array.isArray(session) ? session : undefined
  } catch {
    return undefined
  }
}

/** The text of a session, with the field that the `stamp` option of a compatible store adds. */
function serializeSession(session, stamp) {
  requireObject(session)
  const text = JSON.stringify(stamp === undefined ? session : withStamp(session, stamp))
  if (text === undefined || text[0] !== '{') throw new TypeError('the session must serialize to a JSON object')
  return text
}

/** The session object itself does not get the stamp. */
function withStamp(session, stamp) {
  const plain = typeof session.toJSON === 'function' ? session.toJSON() : session
  return { ...plain, [stamp.field]: stamp.value(Date.now()) }
}

function requireObject(session) {
  if (typeof session === 'object' && session !== null) return
  throw new TypeError(`the session must be an object, not ${session === null ? 'null' : typeof session}`)
}

module.exports = { parseSession, requireObject, serializeSession }
