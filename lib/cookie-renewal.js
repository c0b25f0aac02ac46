'use strict'

const { LATEST, TOLERANCE_MS, fromNow, touchAfterOf } = require('./lifetime.js')

/**
 * Updates the cookie of a session that was read. A touch writes only the item's expiry, not the session, so the
 * cookie's expiry is that of the last full write. The item expires when the cookie does, or `ttl` seconds after the
 * touch. `expires` is the item's expiry in seconds.
 */
function renewCookie({ ttl, lifetime, touchAfter }, session, expires) {
  const { cookie } = session
  if (expires === undefined || typeof cookie?.expires !== 'string') return
  const { originalMaxAge } = cookie
  const throttle = touchAfterOf(originalMaxAge / 1000, touchAfter) * 1000
  if (ttl === undefined && lifetime === undefined) {
    moveExpiry(cookie, expires * 1000, throttle)
  } else if (Number.isFinite(originalMaxAge)) {
    const itemOutlivesCookieBy = lifetimeAfterTouch(ttl ?? lifetime, session) * 1000 - originalMaxAge
    // The `ttl` option may have changed since the item was written. Then the difference is only a guess, so the expiry may
    // move later but not earlier.
    const isExact = Math.abs(itemOutlivesCookieBy) < TOLERANCE_MS
    moveExpiry(cookie, expires * 1000 - itemOutlivesCookieBy, isExact ? throttle : Infinity)
  }
}

/** The lifetime of a session that was just touched, in seconds; NaN if the app's function throws. */
function lifetimeAfterTouch(ttl, session) {
  if (typeof ttl === 'number') return ttl
  const { originalMaxAge: maxAge } = session.cookie
  const touched = { ...session, cookie: { ...session.cookie, maxAge, expires: new Date(fromNow(maxAge)) } }
  try {
    return ttl(touched)
  } catch {
    return NaN
  }
}

/**
 * Moves the expiry of a cookie to `time`, in milliseconds since 1970. The expiry becomes earlier only if the
 * difference is more than `slack` milliseconds.
 */
function moveExpiry(cookie, time, slack) {
  const difference = time - Date.parse(cookie.expires)
  if (difference >= TOLERANCE_MS || difference <= -Math.max(slack, TOLERANCE_MS)) {
    cookie.expires = new Date(Math.min(time, LATEST)).toISOString()
  }
}

module.exports = { renewCookie }
