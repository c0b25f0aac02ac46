'use strict'

// Runs the function, its table, and an HTTP API on this machine. HANDLER selects another handler.

const { DynamoDBStore } = require('dynamodb-session')
const { LocalLambda, gateway } = require('./lambda')

const SESSIONS_TABLE = 'sessions'
const { HANDLER = 'handler.handler', SESSION_SECRET = 'for development only', PORT = 3000 } = process.env

async function main() {
  await new DynamoDBStore({ table: SESSIONS_TABLE }).createTable()
  const lambda = await LocalLambda.start(HANDLER, { SESSIONS_TABLE, SESSION_SECRET })
  process.once('exit', () => lambda.stop()) // a frozen process outlives Ctrl-C
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit())
  const server = gateway(lambda).listen(PORT, '127.0.0.1', () => {
    console.log(`Listening on http://127.0.0.1:${server.address().port} (${HANDLER})`)
  })
}

main()
