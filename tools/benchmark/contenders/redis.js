'use strict'

// connect-redis with its defaults, on a Redis server that the benchmark starts, with each of the two usual clients.

const { missingRedis } = require('../support/redis')

function openStore(client, table) {
  const { RedisStore } = require('connect-redis')
  return new RedisStore({ client, prefix: `${table}:` })
}

/** What connect-redis 9 calls, with its arguments as ioredis takes them: connect-redis expects the client of node-redis. */
function adapted(client) {
  return {
    get: (key) => client.get(key),
    set: (key, value, { expiration }) => client.set(key, value, expiration.type, expiration.value),
    expire: (key, seconds) => client.expire(key, seconds),
    del: (keys) => client.del(keys)
  }
}

const clients = {
  'node-redis': {
    title: 'connect-redis 9, node-redis',
    open({ endpoint, table }) {
      const client = require('redis').createClient({ url: endpoint })
      client.on('error', fail)
      client.connect().catch(fail)
      return openStore(client, table)
    }
  },
  ioredis: {
    title: 'connect-redis 9, ioredis',
    open({ endpoint, table }) {
      const { Redis } = require('ioredis')
      const client = new Redis(endpoint)
      client.on('error', fail)
      return openStore(adapted(client), table)
    }
  }
}

/** Ends the process. Otherwise, a client without a server would keep retrying. */
function fail(error) {
  throw error
}

const shared = { server: 'redis', layout: null, frameworks: ['express'], missing: missingRedis }
module.exports = Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, { ...shared, ...client }]))
