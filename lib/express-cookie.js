'use strict'

/** Whether express-session can create a Cookie from a stored cookie. If it cannot, every request throws. */
function isCookie(stored) {
  return isObject(stored) && isMaxAge(stored.maxAge) && isMaxAge(stored.originalMaxAge)
}

/**
 * The fields of a cookie for a session that was stored without one. Stored fields that are usable take
 * precedence. The others come from the session that is being reloaded, or else from the app's cookie options
 * (`cookieOptions`), or else from express-session's defaults.
 */
function cookieFields(stored, request, cookieOptions) {
  const { maxAge: _maxAge, originalMaxAge: _originalMaxAge, ...usable } = isObject(stored) ? stored : {}
  const { originalMaxAge = null, expires = null, ...options } = request.session?.cookie?.data ?? cookieOptions ?? {}
  const renewed = Number.isFinite(originalMaxAge) ? new Date(Date.now() + originalMaxAge) : expires
  return { ...options, expires: renewed, ...usable, originalMaxAge }
}

/**
 * Passes the app's cookie options to `onOptions` each time express-session generates a session for `store`. There is no
 * other way to get them, because a call of `generate` would change the request and run the app's `genid`.
 */
function watchGenerate(store, onOptions) {
  // Without express-session, the base class defines `generate` itself, to explain how to use the store.
  if (typeof store.regenerate !== 'function') return
  let generate
  Object.defineProperty(store, 'generate', {
    configurable: true,
    get: () => generate,
    set(given) {
      generate = function (request) {
        given.call(this, request)
        onOptions(request.session?.cookie?.data)
      }
    }
  })
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether it is a number of milliseconds, or null or false for a cookie that expires when the browser closes. */
function isMaxAge(value) {
  return !value || typeof value === 'number'
}

module.exports = { cookieFields, isCookie, watchGenerate }
