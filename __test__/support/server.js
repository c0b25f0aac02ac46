'use strict'

const { once } = require('node:events')
const { startLocalDynamoDB } = require('../../tests/local-dynamodb')

const { env } = process

/** The DynamoDB under test: 'embedded', 'dynalite' (DYNAMODB=dynalite) or 'outside' (ENDPOINT and AWS_* variables). */
const serverKind = env.ENDPOINT ? 'outside' : (env.DYNAMODB ?? 'embedded')

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
  async outside() {
    return { endpoint: env.ENDPOINT, async close() {} }
  }
}

/** Starts the server and gives the options that reach it. */
async function startServer() {
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

module.exports = { serverKind, startServer }
