'use strict'

const ONE_DAY = 86_400

/** The default touch throttle: a tenth of the lifetime, an hour at most. */
const TOUCH_SHARE = 0.1
const LONGEST_TOUCH_AFTER = 3_600

/** The last moment that a Date can hold, in milliseconds. */
const LATEST = 8.64e15

/** Milliseconds within which two times count as the same: stored expiries are whole seconds. */
const TOLERANCE = 1_000

/**
 * Seconds that a session has to live, by the `maxAge` that koa-session passes (milliseconds, or 'session' for
 * as long as the browser is open) or by its cookie.
 */
function lifetimeOf(session, maxAge, now = Date.now()) {
  if (Number.isFinite(maxAge)) return maxAge / 1000
  const { cookie } = session
  if (Number.isFinite(cookie?.maxAge)) return cookie.maxAge / 1000
  const untilExpires = untilDate(cookie?.expires, now)
  return Number.isFinite(untilExpires) ? untilExpires / 1000 : ONE_DAY
}

/** A cookie that was JSON has its date as a string and no maxAge. */
function untilDate(date, now) {
  return date == null || typeof date === 'boolean' ? undefined : new Date(date).getTime() - now
}

/** The time in so many milliseconds, within what a Date can hold. */
function fromNow(milliseconds) {
  return Math.max(-LATEST, Math.min(Date.now() + milliseconds, LATEST))
}

/**
 * What a store knows of a session: the expiry of its item in milliseconds, and the lifetime in seconds and the expiry
 * that its cookie states.
 */
function factsOf(session, expiry) {
  const lifetime = lifetimeOf(session)
  const originalMaxAge = session.cookie?.originalMaxAge
  return {
    expiry,
    lifetime: Number.isFinite(originalMaxAge) ? originalMaxAge / 1000 : lifetime,
    ends: fromNow(lifetime * 1000)
  }
}

/**
 * Whether the app has changed the lifetime of a session since these were its facts. A framework's own touch does
 * not: it starts the same lifetime again.
 */
function hasNewLifetime(session, { lifetime, ends }) {
  const seconds = lifetimeOf(session)
  return Math.abs(seconds - lifetime) * 1000 >= TOLERANCE && Math.abs(fromNow(seconds * 1000) - ends) >= TOLERANCE
}

/**
 * Moves the expiry of a session's cookie, as it was written with the session, to where touches have moved it since.
 * Only full writes change the written one. `moved` is the time in milliseconds. The cookie ends earlier only if that
 * is more than `slack` milliseconds earlier.
 */
function moveCookie(cookie, moved, slack) {
  const difference = moved - Date.parse(cookie.expires)
  if (difference >= TOLERANCE || difference <= -Math.max(slack, TOLERANCE)) {
    cookie.expires = new Date(Math.min(moved, LATEST)).toISOString()
  }
}

/**
 * Minimum number of seconds between two writes of the expiry. A throttle as long as the lifetime would let a
 * session end that is in use.
 */
function touchAfterOf(lifetime, given) {
  return given < lifetime || given === 0 ? given : Math.min(lifetime * TOUCH_SHARE, LONGEST_TOUCH_AFTER)
}

module.exports = { TOLERANCE, factsOf, fromNow, hasNewLifetime, lifetimeOf, moveCookie, touchAfterOf }
