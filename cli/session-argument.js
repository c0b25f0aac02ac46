'use strict'

const { readFileSync } = require('node:fs')
const { idOf } = require('./cookie.js')
const { CommandError, exitCodes, usageError } = require('./error.js')

/** Options of the commands that take a session. */
const cookie = {
  'cookie-name': { type: 'string', value: 'name', text: 'the cookie to take from a header with several' },
  plain: { type: 'boolean', text: 'the argument is the id, whatever it looks like' }
}

/** The id that the argument of a command stands for. */
function idFrom(argument, values) {
  const text = argument === '-' ? readFileSync(0, 'utf8').trim() : argument
  const id = values.plain ? text : idOf(text, values['cookie-name'])
  if (id === '') throw usageError('the id is empty')
  return id
}

/** The id is not told: it may have come by a way that no log shows. */
function noSuchSession({ options: { table, prefix } }) {
  return new CommandError(`there is no such session in the table ${table}`, {
    exitCode: exitCodes.notFound,
    code: 'NotFound',
    todo: `it was looked for with the prefix ${JSON.stringify(prefix)}: is this the --layout or --prefix of the app?`
  })
}

module.exports = { cookie, idFrom, noSuchSession }
