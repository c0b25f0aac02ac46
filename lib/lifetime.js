'use strict'

const ONE_DAY = 86_400

/** The touch throttle unless the option says otherwise: a tenth of the lifetime, at most an hour. */
const TOUCH_SHARE = 0.1
const LONGEST_TOUCH_AFTER = 3_600

/**
 * Seconds that a session has to live, by its cookie and by what koa-session gives as `maxAge`
 * (milliseconds, or 'session' for as long as the browser is open).
 */
function lifetimeOf(session, maxAge, now = Date.now()) {
  const milliseconds = [maxAge, session.cookie?.maxAge, untilDate(session.cookie?.expires, now)].find(Number.isFinite)
  return milliseconds === undefined ? ONE_DAY : milliseconds / 1000
}

/** A cookie that was JSON has its date as a string and no maxAge. */
function untilDate(date, now) {
  return date == null || typeof date === 'boolean' ? undefined : new Date(date).getTime() - now
}

/**
 * Seconds that must have gone since the expiry was last written before it is written again. A throttle as long
 * as the lifetime would let a session end that is in use.
 */
function touchAfterOf(lifetime, given) {
  return given < lifetime || given === 0 ? given : Math.min(lifetime * TOUCH_SHARE, LONGEST_TOUCH_AFTER)
}

module.exports = { lifetimeOf, touchAfterOf }
