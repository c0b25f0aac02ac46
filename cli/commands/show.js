'use strict'

const { sizeOfItem } = require('../attribute.js')
const { CommandError } = require('../error.js')
const { expiryOf, isExpired, sessionOf } = require('../item.js')
const { connection, layout, storeOptions } = require('../options.js')
const { cookie, idFrom, noSuchSession } = require('../session-argument.js')

module.exports = {
  summary: 'print one session, by its id or by its cookie',
  description: `
The argument is a session id, the value of a session cookie (s:<id>.<signature>, URL-encoded or not), name=value,
or a whole Cookie header; - reads it from standard input, where no list of processes shows it. The signature is
not checked. A session that has expired and is still in the table is shown, and told to be expired. It costs one
consistent read.`,
  positionals: ['id or cookie'],
  options: { ...connection, ...layout, ...cookie, raw: { type: 'boolean', text: "print the item in DynamoDB's JSON" } },
  examples: ['show Zq8bYk3vLw', "show 'connect.sid=s%3AZq8bYk3vLw.Vb9…' --table sessions", 'show - < cookie.txt'],

  async run({ values, positionals: [argument], output }) {
    const id = idFrom(argument, values)
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    const item = await table.get(id)
    if (item === undefined) throw noSuchSession(table)
    if (values.raw) return output.text(JSON.stringify(item, null, 2))
    const session = sessionOf(item, table.options)
    if (session === undefined) {
      throw new CommandError('the item holds no session', { code: 'CorruptItem', todo: '--raw shows the item' })
    }
    const expires = expiryOf(item, table.options)
    const expired = isExpired(item, table.options)
    const told = { id, expires: expires ?? null, expiresAt: dateOf(expires), expired, bytes: sizeOfItem(item), session }
    output.result(told, [
      `id       ${id}`,
      `expires  ${told.expiresAt === null ? 'never' : `${told.expiresAt} (${distance(expires, expired)})`}`,
      `size     ${told.bytes} bytes`,
      JSON.stringify(session, null, 2)
    ])
  }
}

function dateOf(expires) {
  const date = new Date(expires * 1000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function distance(expires, isOver) {
  const seconds = Math.abs(Math.round(expires - Date.now() / 1000))
  const [, size, unit] = [
    [2 * 86_400, 86_400, 'days'],
    [2 * 3600, 3600, 'hours'],
    [120, 60, 'minutes'],
    [0, 1, 'seconds']
  ].find(([least]) => seconds >= least)
  const amount = `${Math.round(seconds / size)} ${unit}`
  return isOver ? `expired ${amount} ago: absent for the app` : `in ${amount}`
}
