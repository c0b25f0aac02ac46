'use strict'

/**
 * Repairs a cookie that dynamodb-store 1 wrote. dynamodb-store 1 wrote the values of the cookie's getters, and dates as
 * empty maps. The expiry can be restored from `maxAge`, in milliseconds from `now`.
 */
function withRepairedCookie(session, now = Date.now()) {
  const { cookie } = session
  if (typeof cookie !== 'object' || cookie === null || !('data' in cookie || '_expires' in cookie)) return session
  const { data: _data, _expires, maxAge, ...repaired } = cookie
  const isLost = typeof cookie.expires === 'object' && cookie.expires !== null
  if (isLost) repaired.expires = Number.isFinite(maxAge) ? new Date(now + maxAge).toISOString() : null
  return { ...session, cookie: repaired }
}

module.exports = { withRepairedCookie }
