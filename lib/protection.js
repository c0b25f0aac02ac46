'use strict'

const { operations } = require('./native/operations.js')
const { writesBinary } = require('./options.js')
const { InvalidUser, requireOwnAttributes, userReader, warnAboutReadable } = require('./protection-options.js')

/** What a hashed session ID looks like. It is the same in core/src/item/layout.rs. */
const HASHED_ID = /^h1-[\w-]{43}$/

/** The shortest session ID that can be hashed, in bytes. Shorter ones could be guessed. */
const SHORTEST_ID = 16

/** What the options user, maxLifetime, and hashIds require of a store. Loaded if the store protects sessions. */
class Protection {
  /** Whether sessions are written in a binary form, in which a touch cannot set a field. */
  writesBinary
  #native
  #readUser
  #maxLifetime
  #hashIds
  #rejectsPlain

  constructor(options, native) {
    const { encryption, user, maxLifetime, hashIds } = options
    this.#native = native
    this.#readUser = user === undefined ? undefined : userReader(user)
    this.#maxLifetime = maxLifetime
    this.#hashIds = hashIds
    this.#rejectsPlain = encryption !== undefined && !encryption.acceptPlain
    this.writesBinary = writesBinary(options)
    requireOwnAttributes(options)
    warnAboutReadable(options)
  }

  /** Why a session with this ID cannot be stored, or undefined. */
  problemWithId(sid) {
    if (!this.#hashIds) return undefined
    if (HASHED_ID.test(sid)) return 'the session ID has the form of a hashed one'
    return Buffer.byteLength(sid) < SHORTEST_ID
      ? `the session ID is shorter than ${SHORTEST_ID} bytes, which option hashIds requires`
      : undefined
  }

  /** The user of a session, or undefined. */
  userOf(session) {
    try {
      return this.#readUser?.(session)
    } catch (error) {
      const message = `option user failed: ${error instanceof InvalidUser ? error.message : 'the function threw'}`
      throw this.#native.createError(operations.set, 'ConfigError', message, error)
    }
  }

  /** What is stored with a session; see SessionDetails in native.d.ts. */
  detailsOf({ created }, user) {
    return { created: this.#maxLifetime === undefined ? undefined : created, user }
  }

  /**
   * Sets the creation time of a record, which is that of an earlier record of the session, if it is known, and limits its
   * expiry.
   */
  start(record, earlier) {
    if (this.#maxLifetime === undefined) return
    record.created = earlier?.created ?? Math.floor(Date.now() / 1000)
    record.expiry = this.limited(record.expiry, record.created)
  }

  /** An expiry in milliseconds, limited to the maximum lifetime of a session. */
  limited(expiry, created) {
    return this.#maxLifetime === undefined ? expiry : Math.min(expiry, (created + this.#maxLifetime) * 1000)
  }

  /**
   * Whether an expiry is the latest one that the maximum lifetime of a session allows. A later one that is stored must not
   * stay: the session was written without the option.
   */
  isLatest(expiry, created) {
    return this.#maxLifetime !== undefined && expiry >= (created + this.#maxLifetime) * 1000
  }

  /** Whether the session has reached its maximum lifetime. */
  hasEnded({ created }) {
    return this.#maxLifetime !== undefined && (created + this.#maxLifetime) * 1000 <= Date.now()
  }

  /** Whether `get` would return the session of an item that ItemCodec has decoded. */
  accepts({ form, created }) {
    return !(this.#rejectsPlain && form !== 'encrypted') && !this.hasEnded({ created })
  }

  /** Whether the item of a session needs a creation time. `record` is what the store remembers about the session. */
  needsCreated(record) {
    return this.#maxLifetime !== undefined && record?.created === undefined
  }
}

module.exports = { Protection }
