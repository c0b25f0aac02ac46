'use strict'

const { readFileSync } = require('node:fs')
const { CommandError, exitCodes, usageError } = require('./error.js')

/** Default names of the session cookie in express-session, koa-session, and @fastify/session. */
const defaultCookieNames = ['connect.sid', 'koa.sess', 'sessionId']

/** An unpadded base64 SHA-256, which @fastify/session and cookie-signature append to the session ID. */
const SIGNATURE = /^(.+)\.[A-Za-z0-9+/]{43}=?$/s

// What the commands that take one session have in common.

const sessionPositionals = ['id-or-cookie']

const sessionOptions = {
  'cookie-name': {
    type: 'string',
    placeholder: 'name',
    description: 'Name of the session cookie, if the argument has several cookies'
  },
  plain: { type: 'boolean', description: 'Use the argument as the session ID, even if it looks like a cookie' }
}

const sessionArgumentHelp = `
The argument is a session ID, the value of a session cookie (s:<id>.<signature>, URL-encoded or not), name=value, or a
whole Cookie header. The signature is not verified. Use - to read the argument from standard input, which keeps it out
of the process list. Before an argument that starts with two dashes, put --, as in: show -- <id>.`

/** The session ID that the argument contains. */
function readSessionId(argument, values) {
  const text = argument === '-' ? readFileSync(0, 'utf8').trim() : argument
  const id = values.plain ? text : sessionIdIn(text, values['cookie-name'])
  if (id === '') throw usageError('the session ID is empty')
  return id
}

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
    throw usageError('several cookies could be the session cookie: use --cookie-name')
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

/** The message leaves out the session ID, which is a secret and must not get into logs. */
function sessionNotFound({ options: { table, prefix } }) {
  return new CommandError(`session not found in the table ${table}`, {
    exitCode: exitCodes.notFound,
    code: 'NotFound',
    hint: `the prefix of the key was ${JSON.stringify(prefix)}: check that --layout, --prefix, and --hash-ids match the app`
  })
}

module.exports = {
  readSessionId,
  sessionArgumentHelp,
  sessionIdIn,
  sessionNotFound,
  sessionOptions,
  sessionPositionals
}
