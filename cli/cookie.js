'use strict'

const { usageError } = require('./error.js')

/** Names of session cookies that the frameworks give. */
const usualNames = ['connect.sid', 'koa.sess', 'sessionId']

/** A base64 SHA-256 without padding, which @fastify/session and cookie-signature put behind the id. */
const SIGNATURE = /^(.+)\.[A-Za-z0-9+/]{43}=?$/s

/**
 * The session id of what a person has at hand: the id, the value of a cookie, `name=value`, or a whole Cookie
 * header. The signature is cut off, not checked.
 */
function idOf(text, cookieName) {
  const value = valueOf(text.trim().replace(/^(set-)?cookie:\s*/i, ''), cookieName)
  const decoded = decode(value)
  const isSigned = decoded.startsWith('s:')
  if (isSigned && decoded.includes('.')) return decoded.slice(2, decoded.lastIndexOf('.'))
  return SIGNATURE.exec(decoded)?.[1] ?? decoded
}

function valueOf(text, cookieName) {
  const pairs = text.split(/;\s*/).map((pair) => /^([\w!#$%&'*+.^`|~-]+)=(.*)$/s.exec(pair))
  const cookies = pairs.filter((pair) => pair !== null && !pair[1].endsWith('.sig') && /[^=]/.test(pair[2]))
  if (cookieName !== undefined) {
    const named = cookies.find(([, name]) => name === cookieName)
    if (named === undefined && cookies.length > 0) throw usageError(`there is no cookie ${cookieName}`)
    return named?.[2] ?? text
  }
  if (cookies.length === 0) return text
  const isSigned = ([, , value]) => /^"?s(:|%3A)/i.test(value)
  const found = cookies.find(([, name]) => usualNames.includes(name)) ?? cookies.find(isSigned)
  if (found === undefined && cookies.length > 1) throw usageError('which cookie is it? give --cookie-name')
  return (found ?? cookies[0])[2]
}

function decode(value) {
  const bare = /^"(.*)"$/s.exec(value)?.[1] ?? value
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}

module.exports = { idOf }
