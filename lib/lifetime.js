'use strict'

const ONE_DAY = 86_400

/** The default of the `touchAfter` option: a tenth of the lifetime, up to an hour. */
const TOUCH_SHARE = 0.1
const LONGEST_TOUCH_AFTER = 3_600

/** The latest time that a Date can represent, in milliseconds since 1970. */
const LATEST = 8.64e15

/** Two times are treated as equal if they differ by less than this, because stored expiries are whole seconds. */
const TOLERANCE_MS = 1_000

/**
 * The lifetime of a session in seconds: the `maxAge` that koa-session passes (milliseconds, or 'session' for as long
 * as the browser is open), or the lifetime of the session's cookie.
 */
function lifetimeOf(session, maxAge, now = Date.now()) {
  if (Number.isFinite(maxAge)) return maxAge / 1000
  const { cookie } = session
  if (Number.isFinite(cookie?.maxAge)) return cookie.maxAge / 1000
  const untilExpires = untilDate(cookie?.expires, now)
  return Number.isFinite(untilExpires) ? untilExpires / 1000 : ONE_DAY
}

/** A cookie that was parsed from JSON has its expiry as a string, and no maxAge. */
function untilDate(date, now) {
  return date == null || typeof date === 'boolean' ? undefined : new Date(date).getTime() - now
}

/** Whether two lifetimes in milliseconds are the same. express-session's `originalMaxAge` drifts when it is renewed. */
function isSameLifetime(one, other) {
  return one === other || (Number.isFinite(one) && Number.isFinite(other) && Math.abs(one - other) < TOLERANCE_MS)
}

/** The time `milliseconds` from now, limited to the range of a Date. */
function fromNow(milliseconds) {
  return Math.max(-LATEST, Math.min(Date.now() + milliseconds, LATEST))
}

/**
 * The minimum number of seconds between two writes of a session's expiry. A given value that is not shorter than the
 * lifetime is replaced by the default, because otherwise a session could expire while it is in use.
 */
function touchAfterOf(lifetime, given) {
  return given < lifetime || given === 0 ? given : Math.min(lifetime * TOUCH_SHARE, LONGEST_TOUCH_AFTER)
}

module.exports = { LATEST, TOLERANCE_MS, fromNow, isSameLifetime, lifetimeOf, touchAfterOf }
