'use strict'

const { fromNow } = require('./lifetime.js')
const { operations } = require('./native/operations.js')
const { ConditionalSaves } = require('./parallel/conditional-saves.js')
const { frameworkOf } = require('./parallel/frameworks.js')
const { FastifyWrites } = require('./parallel/fastify-writes.js')
const { Save } = require('./parallel/save.js')
const { serializeSession } = require('./session-text.js')

/** The saves of the sessions of a table. */
class Saves {
  #sessions
  #options
  #native
  #records
  #events
  /** Undefined if every save overwrites. */
  #conditionalSaves
  #fastifyWrites = new FastifyWrites()

  constructor(sessions, options, native, records, events, isConditional) {
    this.#sessions = sessions
    this.#options = options
    this.#native = native
    this.#records = records
    this.#events = events
    if (isConditional) this.#conditionalSaves = new ConditionalSaves(sessions, options, native, records, events)
  }

  /** Returns a promise that settles when the save has ended. Throws if the session cannot be saved. */
  run(sid, session, maxAge, context) {
    const save = this.#saveOf(sid, session, maxAge, context)
    if (this.#sessions.protection?.hasEnded(save.record)) {
      return Promise.resolve(this.#events.missing(operations.set, sid))
    }
    if (save.framework !== 'fastify') return this.#write(save)
    this.#sessions.isBehindFastify = true
    return this.#fastifyWrites.inOrder(sid, this.#write(save))
  }

  #saveOf(sid, session, maxAge, context) {
    const operation = operations.set
    const { protection } = this.#sessions
    if (!this.#sessions.checkId(operation, sid)) {
      const message =
        protection?.problemWithId(sid) ?? 'the session ID is empty, too long for a key, or not well-formed Unicode'
      throw this.#native.createError(operation, 'InvalidSessionIdError', message)
    }
    const { stamp, specialKeys } = this.#options
    const save = this.#sessions.serializing(operation, () => {
      const attributes = specialKeys.length > 0 ? specialAttributesOf(specialKeys, session) : null
      const framework = frameworkOf(session, context)
      return new Save(sid, session, context ?? session, framework, serializeSession(session, stamp), attributes)
    })
    save.lifetime = this.#sessions.lifetimeOf(operation, session, maxAge)
    save.record.expiry = fromNow(save.lifetime * 1000)
    if (protection !== undefined) {
      save.user = protection.userOf(session)
      protection.start(save.record, this.#records.of(save))
    }
    return save
  }

  #write(save) {
    const isConditional = this.#conditionalSaves !== undefined && save.framework !== undefined
    return isConditional ? this.#conditionalSaves.run(save) : this.#overwrite(save)
  }

  async #overwrite({ sid, session, text, attributes, user, record }) {
    const details = this.#sessions.protection?.detailsOf(record, user) ?? null
    const args = [text, this.#sessions.secondsOf(record.expiry), attributes, details, null]
    record.correct(await this.#native.run(operations.set, sid, ...args))
    this.#records.set(session, record)
  }

  stats() {
    return this.#conditionalSaves?.stats()
  }
}

/** Loads the code of special keys when it is needed. */
function specialAttributesOf(specialKeys, session) {
  return require('./special-keys.js').specialAttributes(specialKeys, session)
}

module.exports = { Saves }
