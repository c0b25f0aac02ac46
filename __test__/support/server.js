'use strict'

const { once } = require('node:events')
const { startLocalDynamoDB } = require('../../tools/local-dynamodb')
const { hasJava, startDynamoDBLocal } = require('./dynamodb-local')

const { env } = process

/**
 * The DynamoDB under test: 'embedded', 'dynalite', 'aws' (DynamoDB Local), or 'service' (DynamoDB itself), by the variable
 * DYNAMODB, or 'outside' (ENDPOINT and AWS_* variables).
 */
const serverKind = env.ENDPOINT ? 'outside' : (env.DYNAMODB ?? 'embedded')

/** The server that ../suite.js started for all test files, if any. */
const shared = env.SHARED_DYNAMODB ? JSON.parse(env.SHARED_DYNAMODB) : undefined

if (serverKind === 'aws' && !shared && !hasJava()) {
  console.log('Skipped: DynamoDB Local needs Java, and PATH has no java.')
  process.exit()
}

const starters = {
  embedded: startLocalDynamoDB,
  async dynalite() {
    const server = require('dynalite')({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      endpoint: `http://127.0.0.1:${server.address().port}`,
      async close() {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    }
  },
  aws: startDynamoDBLocal,
  service() {
    throw new Error('DYNAMODB=service needs the suite: DYNAMODB=service node __test__/suite.js <test files>')
  },
  async outside() {
    return { endpoint: env.ENDPOINT, async close() {} }
  }
}

/** Starts the server, and returns the options that connect to it. No other test file uses an `exclusive` server. */
async function startServer({ exclusive = false } = {}) {
  if (shared && !(exclusive && serverKind === 'aws')) return { connection: shared.connection, async close() {} }
  const { endpoint, close } = await starters[serverKind]()
  const outside = serverKind === 'outside' ? env : {}
  const connection = {
    endpoint,
    region: outside.AWS_REGION ?? 'us-east-1',
    credentials: {
      accessKeyId: outside.AWS_ACCESS_KEY_ID ?? 'local',
      secretAccessKey: outside.AWS_SECRET_ACCESS_KEY ?? 'local',
      ...(outside.AWS_SESSION_TOKEN && { sessionToken: outside.AWS_SESSION_TOKEN })
    }
  }
  return { connection, close }
}

/** The prefix of table names. A run on the service may not use other names. */
const tablePrefix = shared?.tablePrefix ?? 'dynamodb-session-test-'

module.exports = { isShared: Boolean(shared), serverKind, startServer, tablePrefix }
