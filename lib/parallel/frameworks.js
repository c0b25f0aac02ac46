'use strict'

/**
 * The framework that a session object belongs to, or undefined. Each framework leads from a `get` to the `set` of the
 * same request in its own way:
 *
 * - koa-session passes the request's context to both.
 * - express-session makes a Session with `createSession`, and passes it to `set`.
 * - @fastify/session copies the result of `get` into a Session; see `carrierOf`.
 */
function frameworkOf(session, context) {
  if (context !== undefined) return 'koa'
  if (typeof session.resetMaxAge === 'function') return 'express'
  return isFastifySession(session) ? 'fastify' : undefined
}

/** Whether the object is a Session of @fastify/session. A Session of express-session does not have these methods. */
function isFastifySession({ isSaved, isModified }) {
  return typeof isSaved === 'function' && typeof isModified === 'function'
}

/** The context that koa-session 6.1 and later pass in the last argument of a call, or undefined. */
function contextOf(rest) {
  const context = rest.at(-1)?.ctx
  return typeof context === 'object' && context !== null ? context : undefined
}

/**
 * Whether @fastify/session may have called `get` of the store with these last arguments. express-session sets `generate` on
 * its store, and koa-session passes no callback.
 */
function mayBeFastify(store, rest) {
  return typeof rest.at(-1) === 'function' && store.generate === undefined
}

/**
 * The prototype of a session for @fastify/session, which copies enumerable properties, inherited ones too, into a Session
 * and then serializes the Session to hash it. At that moment, `onCopied(session, copy)` is called. Afterward, nothing of
 * this is left in the Session.
 */
function carrierOf(onCopied) {
  return {
    get toJSON() {
      const session = this
      return function () {
        delete this.toJSON
        onCopied(session, this)
        return this
      }
    }
  }
}

module.exports = { carrierOf, contextOf, frameworkOf, mayBeFastify }
