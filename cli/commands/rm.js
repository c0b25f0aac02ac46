'use strict'

const { connection, keys, storeOptions } = require('../options.js')
const { cookie, idFrom, noSuchSession } = require('../session-argument.js')

module.exports = {
  summary: 'delete one session, by its id or by its cookie: whoever holds it is logged out',
  description: `
The argument is a session id, the value of a session cookie (s:<id>.<signature>, URL-encoded or not), name=value,
or a whole Cookie header; - reads it from standard input, where no list of processes shows it. The signature is
not checked.`,
  positionals: ['id or cookie'],
  options: { ...connection, ...keys, ...cookie },
  examples: ['rm Zq8bYk3vLw', "rm 'connect.sid=s%3AZq8bYk3vLw.Vb9…' --table sessions"],

  async run({ values, positionals: [argument], output }) {
    const id = idFrom(argument, values)
    const { Table } = require('../table.js')
    const table = new Table(storeOptions(values))
    try {
      await table.request('DeleteItem', {
        Key: table.keyOf(id),
        ConditionExpression: 'attribute_exists(#key)',
        ExpressionAttributeNames: { '#key': table.options.hashKey }
      })
    } catch (error) {
      if (error.code !== 'ConditionalCheckFailedException') throw error
      // An earlier attempt whose response was lost has deleted it, or there was none.
      if (!error.mayBeDone) throw noSuchSession(table)
      output.note('the response to the first attempt was lost; the session is not in the table now')
    }
    output.result({ deleted: true, id }, ['deleted'])
  }
}
