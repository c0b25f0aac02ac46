'use strict'

const { createHash } = require('node:crypto')
const { GetItemCommand } = require('@aws-sdk/client-dynamodb')
const { loggedIn } = require('./shop')

/** Reads items as the table holds them: without a store, and with a connection that the switch does not cut. */
function createItems({ client, encryptedStore, table }) {
  async function read(id) {
    const command = new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true })
    const { Item } = await client.send(command)
    return Item ? Object.entries(Item).map(readable) : null
  }

  return {
    stored: (prefix) => [
      loggedIn,
      async (request, response) => response.json({ item: await read(prefix + request.sessionID) })
    ],

    /** Saves a copy of the session in the store that encrypts, and reads its item. */
    encrypted: [
      loggedIn,
      async (request, response) => {
        await encryptedStore.set(request.sessionID, request.session)
        const hash = createHash('sha256').update(request.sessionID).digest('base64url')
        response.json({ item: await read(`encrypted:h1-${hash}`) })
      }
    ]
  }
}

function readable([name, value]) {
  const [[type, content]] = Object.entries(value)
  return { name, type, value: type === 'B' ? Buffer.from(content).toString('base64') : content }
}

module.exports = { createItems }
