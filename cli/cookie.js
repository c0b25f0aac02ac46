'use strict'

const { usageError } = require('./error.js')

/** Default names of the session cookie in express-session, koa-session, and @fastify/session. */
const defaultCookieNames = ['connect.sid', 'koa.sess', 'sessionId']

/** An unpadded base64 SHA-256, which @fastify/session and cookie-signature append to the session ID. */
const SIGNATURE = /^(.+)\.[A-Za-z0-9+/]{43}=?$/s

/**
 * The session ID in a text: the ID itself, the value of a cookie, `name=value`, or a whole Cookie header. The
 * signature is removed, not verified.
 */
function sessionIdIn(text, cookieName) {
  const value = cookieValueIn(text.trim().replace(/^(set-)?cookie:\s*/i, ''), cookieName)
  const decoded = decode(value)
  const isSigned = decoded.startsWith('s:')
  if (isSigned && decoded.includes('.')) return decoded.slice(2, decoded.lastIndexOf('.'))
  return SIGNATURE.exec(decoded)?.[1] ?? decoded
}

/** The value of the session cookie, or the text itself if it contains no cookie. */
function cookieValueIn(text, cookieName) {
  const pairs = text.split(/;\s*/).map((pair) => /^([\w!#$%&'*+.^`|~-]+)=(.*)$/s.exec(pair))
  // Base64 can end with =, and koa-session sends its signature in a cookie named .sig.
  const cookies = pairs.filter((pair) => pair !== null && !pair[1].endsWith('.sig') && /[^=]/.test(pair[2]))
  if (cookieName !== undefined) {
    const named = cookies.find(([, name]) => name === cookieName)
    if (named === undefined && cookies.length > 0) throw usageError(`there is no cookie named ${cookieName}`)
    return named?.[2] ?? text
  }
  if (cookies.length === 0) return text
  const isSigned = ([, , value]) => /^"?s(:|%3A)/i.test(value)
  const found = cookies.find(([, name]) => defaultCookieNames.includes(name)) ?? cookies.find(isSigned)
  if (found === undefined && cookies.length > 1) {
    throw usageError('cannot tell which cookie is the session cookie: use --cookie-name')
  }
  return (found ?? cookies[0])[2]
}

function decode(value) {
  const unquoted = /^"(.*)"$/s.exec(value)?.[1] ?? value
  try {
    return decodeURIComponent(unquoted)
  } catch {
    return unquoted
  }
}

module.exports = { sessionIdIn }
