'use strict'

const { CommandError } = require('../error.js')
const { whyUnreadable } = require('../session-errors.js')
const {
  connectionOptions,
  hidden,
  keysOption,
  layoutOptions,
  readLayoutOptions,
  storeOptions
} = require('../options.js')
const {
  readSessionId,
  sessionArgumentHelp,
  sessionNotFound,
  sessionOptions,
  sessionPositionals
} = require('../session-argument.js')

module.exports = {
  summary: 'Print one session by its ID or cookie',
  description: `
Prints the session, its expiry, and the size of its item. Also prints an expired session that is still in the table.
Costs one consistent read: one read capacity unit per 4 KB of the item, rounded up.
${sessionArgumentHelp}`,
  positionals: sessionPositionals,
  options: {
    ...connectionOptions,
    ...readLayoutOptions,
    format: hidden(layoutOptions.format),
    keys: keysOption,
    ...sessionOptions,
    raw: { type: 'boolean', description: 'Print the item as it is stored, in the JSON format of DynamoDB' }
  },
  examples: ['show Zq8bYk3vLw', "show 'connect.sid=s%3AZq8bYk3vLw.Vb9…' --table sessions", 'show - < cookie.txt'],

  async run({ values, positionals: [argument], output }) {
    const id = readSessionId(argument, values)
    const { itemSize } = require('../../lib/native/item-codec.js')
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const item = await table.get(id)
    if (item === undefined) throw sessionNotFound(table)
    if (values.raw) {
      if (values.keys !== undefined) output.note('--raw prints the item as it is stored, so --keys has no effect')
      return output.text(JSON.stringify(item, null, 2))
    }

    const decoded = table.decode(item)
    const { session, expires = null, isExpired: expired } = decoded
    if (session === undefined) throw unreadable(decoded)
    const expiresAt = isoDate(expires)
    const bytes = itemSize(item)
    return output.result({ id, expires, expiresAt, expired, bytes, session }, [
      `id       ${id}`,
      `expires  ${expiresAt === null ? 'never' : `${expiresAt} (${relativeTime(expires, expired)})`}`,
      `size     ${bytes} bytes`,
      JSON.stringify(session, null, 2)
    ])
  }
}

function unreadable(decoded) {
  if (decoded.form === 'encrypted') {
    return new CommandError(`the session cannot be read: ${whyUnreadable(decoded)}`, {
      code: decoded.lacksKey ? 'EncryptionKeyError' : 'CorruptItem',
      hint: decoded.lacksKey
        ? 'use --keys with a key file that contains the key of the session'
        : 'check that the key file has the same keys as the app; if it does, the app has no session either'
    })
  }
  return new CommandError('the item does not contain a readable session', {
    code: 'CorruptItem',
    hint: 'use --raw to print the item'
  })
}

/** The date as a string, or null for no expiry and for an expiry beyond the dates of JavaScript. */
function isoDate(expires) {
  const date = new Date(expires === null ? NaN : expires * 1000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function relativeTime(expires, isExpired) {
  const seconds = Math.abs(Math.round(expires - Date.now() / 1000))
  const [, unitSeconds, unit] = [
    [2 * 86_400, 86_400, 'days'],
    [2 * 3600, 3600, 'hours'],
    [120, 60, 'minutes'],
    [0, 1, 'seconds']
  ].find(([minimum]) => seconds >= minimum)
  const duration = `${Math.round(seconds / unitSeconds)} ${unit}`
  return isExpired ? `expired ${duration} ago; the app no longer sees it` : `in ${duration}`
}
