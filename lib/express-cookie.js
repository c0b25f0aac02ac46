'use strict'

/** Whether express-session can make a Cookie of what was stored. With anything else, every request throws. */
function isCookie(stored) {
  return isObject(stored) && isMaxAge(stored.maxAge) && isMaxAge(stored.originalMaxAge)
}

/**
 * The fields of a cookie for a session that was stored without one. They are those of the session that is being
 * reloaded, else the app's cookie options if they are known, else express-session's defaults.
 */
function cookieFields(stored, request, known) {
  const { maxAge: _maxAge, originalMaxAge: _originalMaxAge, ...usable } = isObject(stored) ? stored : {}
  const { originalMaxAge = null, expires = null, ...options } = request.session?.cookie?.data ?? known ?? {}
  const renewed = Number.isFinite(originalMaxAge) ? new Date(Date.now() + originalMaxAge) : expires
  return { ...options, expires: renewed, ...usable, originalMaxAge }
}

/**
 * Passes the cookie options of the app to `learn` each time that express-session generates a session for `store`.
 * Nothing else reveals them: to call `generate` would change the request and run the app's `genid`.
 */
function watchGenerate(store, learn) {
  // Where express-session is missing, the base class explains its use.
  if (typeof store.regenerate !== 'function') return
  let generate
  Object.defineProperty(store, 'generate', {
    configurable: true,
    get: () => generate,
    set(given) {
      generate = function (request) {
        given.call(this, request)
        learn(request.session?.cookie?.data)
      }
    }
  })
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** In milliseconds; null or false for a cookie that ends with the browser. */
function isMaxAge(value) {
  return !value || typeof value === 'number'
}

module.exports = { cookieFields, isCookie, watchGenerate }
