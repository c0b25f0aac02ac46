'use strict'

const { once } = require('node:events')
const net = require('node:net')

/** A port that the system assigns. Another program can take it before a server does. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

module.exports = { freePort }
