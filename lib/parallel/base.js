'use strict'

const { isDeepStrictEqual } = require('node:util')

let lastMoment = 0

/** A number that is higher than all earlier ones. It tells which of two versions of a session is newer. */
function nextMoment() {
  return (lastMoment += 1)
}

/** What a request has read or written of a session. */
class Base {
  /**
   * `text` is the session as the app has it, and `stored` is what the table holds, if that differs; see
   * conditional-saves.js.
   */
  constructor(sid, text, stored) {
    this.sid = sid
    this.text = text
    this.stored = stored
    this.moment = nextMoment()
    /** The later saves that may have arrived although they failed: `{ text, written }`. */
    this.unconfirmed = undefined
  }

  /** Remembers a save that failed but may have arrived. `written` is the text that it sent. */
  addUnconfirmed(text, written) {
    this.unconfirmed ??= []
    this.unconfirmed.push({ text, written })
  }

  /** The session as the app had it when the stored session was written, or read. */
  textOf(stored) {
    const arrived = this.unconfirmed?.findLast(({ written }) => isSameText(written, stored))
    return arrived?.text ?? this.text
  }
}

/** A session that is stored as a map does not keep the order of its fields and the form of its numbers. */
function isSameText(written, { text, value }) {
  if (value === undefined || text === undefined) return written === text
  try {
    return isDeepStrictEqual(JSON.parse(written), JSON.parse(text))
  } catch {
    return false
  }
}

module.exports = { Base, nextMoment }
