'use strict'

const { readFileSync } = require('node:fs')
const { sessionIdIn } = require('./cookie.js')
const { CommandError, exitCodes, usageError } = require('./error.js')

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
of the process list.`

/** The session ID that the argument contains. */
function readSessionId(argument, values) {
  const text = argument === '-' ? readFileSync(0, 'utf8').trim() : argument
  const id = values.plain ? text : sessionIdIn(text, values['cookie-name'])
  if (id === '') throw usageError('the session ID is empty')
  return id
}

/** The message leaves out the session ID, which is a secret and must not get into logs. */
function sessionNotFound({ options: { table, prefix } }) {
  return new CommandError(`session not found in the table ${table}`, {
    exitCode: exitCodes.notFound,
    code: 'NotFound',
    hint: `the prefix of the key was ${JSON.stringify(prefix)}: check that --layout and --prefix match the app`
  })
}

module.exports = { readSessionId, sessionArgumentHelp, sessionNotFound, sessionOptions, sessionPositionals }
