'use strict'

const { connectionOptions, hidden, keyOptions, layoutOption, storeOptions } = require('../options.js')
const {
  readSessionId,
  sessionArgumentHelp,
  sessionNotFound,
  sessionOptions,
  sessionPositionals
} = require('../session-argument.js')

module.exports = {
  summary: 'Delete one session by its ID or cookie',
  description: `
Logs out the user of the session. Costs one write capacity unit per KB of the session, rounded up.
${sessionArgumentHelp}`,
  positionals: sessionPositionals,
  options: {
    ...connectionOptions,
    ...keyOptions,
    layout: layoutOption('the defaults of the key and prefix options'),
    'expires-attribute': hidden(keyOptions['expires-attribute']),
    ...sessionOptions
  },
  examples: ['rm Zq8bYk3vLw', "rm 'connect.sid=s%3AZq8bYk3vLw.Vb9…' --table sessions"],

  async run({ values, positionals: [argument], output }) {
    const id = readSessionId(argument, values)
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
      // Either the session did not exist, or an earlier attempt deleted it and its response was lost.
      if (!error.mayBeDone) throw sessionNotFound(table)
      output.note('the response to the first attempt was lost; the session is no longer in the table')
    }
    output.result({ deleted: true, id }, ['deleted'])
  }
}
