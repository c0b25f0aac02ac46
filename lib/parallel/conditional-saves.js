'use strict'

const { CompletionStatus } = require('../native/loader.js')
const { operations } = require('../native/operations.js')
const { Base, nextMoment } = require('../session-record.js')
const { monotonicNow, setTimeout } = require('../timers.js')
const { isUnchanged } = require('./changes.js')
const { SaveQueues } = require('./save.js')

/**
 * How much later than the new expiry the stored one may be, in seconds, before a save keeps the stored one. Requests
 * that run in parallel compute slightly different expiries.
 */
const EXPIRY_SLACK = 5

/** The longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 100

/** The token of any session. */
const ANY = ''

/** Stands for the stored session while it is unknown whether an earlier save has written it. */
const UNKNOWN = Symbol('unknown')

/**
 * Saves sessions on condition that the table still holds what the request read. If another request has changed the
 * session, the changes are merged. If the session has ended, it is not written.
 *
 * A stored session is `{ text, token, expiry, created }`: its JSON text, unless it cannot be read, a token that stands for it
 * in a condition, unless its text does, its expiry in milliseconds, and its creation time in seconds, if they are known.
 */
class ConditionalSaves {
  #sessions
  #options
  #native
  #records
  #events
  /** Loaded at the first collision. */
  #merger
  #queues = new SaveQueues()
  #counts = { setsSaved: 0, merges: 0, conflicts: 0 }

  constructor(sessions, options, native, records, events) {
    this.#sessions = sessions
    this.#options = options
    this.#native = native
    this.#records = records
    this.#events = events
  }

  stats() {
    return this.#counts
  }

  /** Returns a promise that resolves when the session is saved, or does not need to be. */
  run(save) {
    this.#native.begin(operations.set)
    save.deadline = monotonicNow() + this.#options.timeout
    return this.#queues.enter(save.sid, (queue) => this.#save(save, queue))
  }

  #save(save, queue) {
    let writing
    try {
      writing = this.#write(save, queue)
    } catch (error) {
      writing = Promise.reject(error)
    }
    return writing.then(
      () => this.#leave(save, queue),
      (error) => {
        if (error?.mayBeDone && save.written !== undefined) this.#forgetStored(save, queue)
        this.#leave(save, queue)
        throw error
      }
    )
  }

  /** Remembers a write that may have arrived, so that it is recognized if the app saves the session again. */
  #forgetStored(save, queue) {
    queue.stored = UNKNOWN
    this.#records.of(save)?.base?.addUnconfirmed(save.text, save.written)
  }

  #leave({ sid }, queue) {
    this.#queues.leave(sid, queue)
    this.#native.end()
  }

  #write(save, queue) {
    const { framework, text, record } = save
    const previous = this.#records.of(save)
    const base = previous?.base
    if (base === undefined) return this.#put(save, queue)
    const { ttl, stamp, disableTouch, onConflict } = this.#options
    if (onConflict === 'overwrite') return this.#overwrite(save, base, queue)
    const isExpress = framework === 'express'
    // Only express-session changes a lifetime with a touch, which leaves the stored session as it is.
    save.keepsLater = isExpress && ttl === undefined && !previous.hasNewLifetime(record)
    // If an earlier save may have arrived, the stored session may differ although this one is unchanged.
    if (base.unconfirmed === undefined && isUnchanged(base.text, text, framework, stamp?.field)) {
      if (isExpress && !disableTouch) return this.#touch(save)
      if (this.#sessions.isFreshSave(save, previous)) {
        this.#counts.setsSaved += 1
        return Promise.resolve()
      }
      save.isRenewal = true
    }
    return this.#replace(save, base, queue)
  }

  /** Does what a touch does, because the session has not changed. */
  #touch(save) {
    const timeout = this.#remaining(save)
    return this.#sessions.touch(save.sid, save.session, { operation: operations.set, timeout }).then(() => undefined)
  }

  /** Writes a session that the request has not read. */
  async #put(save, queue) {
    const { sid, text, attributes, record } = save
    const expires = this.#sessions.secondsOf(record.expiry)
    const details = this.#sessions.protection?.detailsOf(record, save.user) ?? null
    save.written = text
    const args = [text, expires, attributes, details, this.#remaining(save)]
    const completion = await this.#native.runHeld(operations.set, sid, ...args)
    record.correct(completion)
    this.#finish(save, queue, { text, token: completion.token, expiry: record.expiry, created: record.created })
  }

  /** Replaces the session that the request has read, whatever it is now, unless it has ended. */
  #overwrite(save, base, queue) {
    save.series = this.#native.openSeries(operations.set, save.sid)
    const any = { text: base.text, token: ANY, expiry: undefined, created: undefined }
    return save.series.run(async () => {
      const { text, attributes, record } = save
      let completion
      // The session may change between the request and the response that says why the condition failed.
      do completion = await this.#send(save, any, { text, attributes, user: save.user, expiry: record.expiry })
      while (completion.status === CompletionStatus.Changed)
      if (completion.status === CompletionStatus.Ended) return this.#events.missing(operations.set, save.sid)
      return this.#finish(save, queue, {
        text,
        token: completion.token,
        expiry: record.expiry,
        created: record.created
      })
    })
  }

  /** Replaces the session that the request has read. */
  #replace(save, base, queue) {
    save.series = this.#native.openSeries(operations.set, save.sid)
    return save.series.run(() => this.#replaceWith(save, base, queue))
  }

  async #replaceWith(save, base, queue) {
    // What is expected may be out of date. What a request has returned is not.
    let isExpected = queue.stored !== UNKNOWN
    let stored = isExpected ? expectedOver(base, queue) : await this.#read(save)
    for (let attempt = 1; stored !== undefined; attempt++) {
      const version = this.#versionOver(stored, save, base)
      const isRenewed = save.isRenewal && attempt === 1
      if (!version.changesStored && !isRenewed) {
        if (!isExpected) return this.#finish(save, queue, stored, version)
        isExpected = false
        stored = await this.#read(save)
        continue
      }
      if (attempt > 2) await pause(attempt)
      const completion = await this.#send(save, stored, version)
      if (completion.status === CompletionStatus.Succeeded) {
        const { text, expiry } = version
        const { created } = save.record
        return this.#finish(save, queue, { text, token: completion.token, expiry, created }, version)
      }
      isExpected = false
      stored = this.#storedOf(completion)
    }
    queue.stored = undefined
    return this.#events.missing(operations.set, save.sid)
  }

  /** Sends a version of the session, on condition that the table still holds the stored session. */
  #send(save, stored, { text, attributes, user, expiry }) {
    const { protection } = this.#sessions
    const expires = this.#sessions.secondsOf(expiry)
    const keepsLater = save.keepsLater && !protection?.isLatest(expiry, save.record.created)
    const remaining = this.#remaining(save)
    save.written = text
    return save.series.send(
      operations.replace,
      text,
      expires,
      attributes,
      protection?.detailsOf(save.record, user) ?? null,
      stored.token ?? stored.text,
      stored.token !== undefined,
      keepsLater ? expires + EXPIRY_SLACK : null,
      Date.now(),
      remaining
    )
  }

  /** Reads the stored session. */
  async #read(save) {
    return this.#storedOf(await save.series.send(operations.current, Date.now(), this.#remaining(save)))
  }

  /** What to write over the stored session. */
  #versionOver(stored, save, base) {
    const { text, attributes, user, record } = save
    const baseText = base.textOf(stored)
    record.created = stored.created ?? record.created
    // A touch may have changed the expiry and left the session as it was.
    const wanted = save.keepsLater ? Math.max(record.expiry, stored.expiry ?? -Infinity) : record.expiry
    const expiry = this.#sessions.protection?.limited(wanted, record.created) ?? wanted
    const version = { text, attributes, user, expiry, changesStored: true }
    if (stored.text === baseText) return version
    const { VersionMerger } = require('./version-merger.js')
    this.#merger ??= new VersionMerger(this.#sessions, this.#options, this.#native)
    const merged = this.#merger.merge(stored, save, baseText)
    if (merged === undefined) this.#events.notASession(operations.set)
    return merged ?? version
  }

  /** The stored session of a completion, or undefined if the session has ended. */
  #storedOf({ status, text, token, number, created }) {
    if (status === CompletionStatus.Ended) return undefined
    return { text, token, expiry: number === undefined ? undefined : number * 1000, created }
  }

  #finish(save, queue, stored, { isMerged, conflicts } = {}) {
    const { sid, text, record } = save
    queue.stored = stored
    if (stored.expiry !== undefined) record.expiry = stored.expiry
    stored.moment = nextMoment()
    record.base = new Base(sid, text, stored)
    const earlier = this.#records.of(save)
    if (earlier === undefined) this.#records.setOf(save, record)
    else record.replace(earlier)
    if (isMerged) this.#counts.merges += 1
    if (!(conflicts?.length > 0)) return
    this.#counts.conflicts += 1
    this.#events.conflict(sid, conflicts)
  }

  /** The time that a save has left, in milliseconds. */
  #remaining(save) {
    const remaining = save.deadline - monotonicNow()
    if (remaining > 0) return remaining
    const reason = save.series?.attempts > 0 ? 'other requests kept changing it' : 'earlier saves of it took that long'
    const message = `could not write the session within ${this.#options.timeout} ms, because ${reason}`
    throw save.failed(this.#native, 'TimeoutError', message)
  }
}

/** The session that is expected in the table: the latest of what the request has read and what earlier saves have written. */
function expectedOver(base, { stored }) {
  if (stored?.moment > base.moment) return stored
  return base.stored ?? { text: base.text, token: undefined, expiry: undefined, created: undefined }
}

/** Waits for a random time. Otherwise, processes that collide once would collide again and again. */
function pause(attempt) {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE)))
}

module.exports = { ConditionalSaves }
