'use strict'

const SIZES = [512, 2048, 20_480]
const IN_FLIGHT = [1, 16, 64, 256]

const STORES = ['dynamodb-session', 'connect-dynamodb', 'pwrdrvr', 'dynamodb-store', 'koa-session-dynamodb-store']
const COMPATIBLE = [
  'connect-dynamodb-compat',
  'pwrdrvr-compat',
  'dynamodb-store-compat',
  'koa-session-dynamodb-store-compat'
]
const CORE = [...STORES, 'lean', 'crossing']

const FEW = ['dynamodb-session', 'connect-dynamodb', 'lean', 'crossing']

/** This package with options that protect the stored sessions. */
const PROTECTED = ['encrypted', 'encrypted-compressed']

/** connect-redis with each of its clients. */
const REDIS = ['node-redis', 'ioredis']

/** The stores that get the session back that express-session made of what they have read. */
const EXPRESS = ['dynamodb-session', 'connect-dynamodb', 'lean']

/** Calls of one server: a cell for each operation, size and number in flight. */
const cells = (server, operations, sizes, inFlight, settings) =>
  operations.flatMap((operation) =>
    sizes.flatMap((size) => inFlight.map((count) => ({ server, operation, size, inFlight: count, ...settings })))
  )

const MAIN_CELLS = { contenders: [...CORE, ...REDIS, ...PROTECTED, 'memory', ...COMPATIBLE] }

const ONE_CORE = ['dynamodb-session', ...REDIS, 'memory', 'connect-dynamodb', 'lean']

/** The plan of each way to run. Times are in milliseconds. */
const plans = {
  full: {
    rounds: 5,
    firstWarmup: 600,
    calls: [
      ...cells('http', ['get', 'set', 'touch'], [2048], [64], { ...MAIN_CELLS, time: 700 }),
      ...cells('http', ['save'], [2048], [64], { contenders: EXPRESS, time: 700 }),
      ...cells('http', ['get', 'set', 'touch'], [2048], [1], { contenders: [...CORE, ...REDIS], time: 700 }),
      ...cells('http', ['get'], [512], [1], { contenders: CORE, time: 700 }),
      ...cells('http', ['get', 'set'], SIZES, IN_FLIGHT, { contenders: CORE, time: 250 }),
      ...cells('http', ['touch'], [2048], IN_FLIGHT, { contenders: CORE, time: 250 }),
      ...cells('https', ['get', 'set'], [2048], [1, 64], { contenders: CORE, time: 400 }),
      ...cells('2ms', ['get'], [2048], [1, 64, 256], { contenders: CORE, time: 400 }),
      ...cells('embedded', ['get', 'set'], [2048], [64], { contenders: CORE, time: 400 })
    ],
    apps: {
      express: ['memory', ...STORES.slice(0, 4), 'lean', ...REDIS, ...COMPATIBLE.slice(0, 3)],
      koa: ['koa-memory', 'dynamodb-session', 'koa-session-dynamodb-store', 'koa-session-dynamodb-store-compat'],
      connections: 32,
      time: 2500
    },
    oneCore: { contenders: ONE_CORE, connections: 32, time: 4000 },
    cold: { contenders: [...STORES, 'lean'], processes: 20 },
    warm: { contenders: ['dynamodb-session', 'connect-dynamodb'], processes: 20 },
    memory: {
      idle: [...STORES, 'lean'],
      stores: [...STORES, 'lean', ...REDIS, 'memory'],
      processes: 5,
      growing: 'dynamodb-session',
      operations: 1_000_000
    },
    cost: { users: 50 }
  },
  quick: {
    rounds: 3,
    firstWarmup: 150,
    calls: [
      ...cells('http', ['get'], [2048], [64], { contenders: [...CORE, ...REDIS, ...PROTECTED], time: 200 }),
      ...cells('http', ['set', 'touch'], [2048], [64], { contenders: [...FEW, ...REDIS, ...PROTECTED], time: 200 }),
      ...cells('http', ['save'], [2048], [64], { contenders: EXPRESS, time: 200 }),
      ...cells('http', ['get', 'set', 'touch'], [2048], [1], { contenders: [...FEW, ...REDIS], time: 200 }),
      ...cells('http', ['set'], [20_480], [64], { contenders: FEW.slice(0, 2), time: 200 })
    ],
    apps: {
      express: ['memory', ...FEW.slice(0, 3), ...REDIS],
      koa: ['koa-memory', 'dynamodb-session', 'koa-session-dynamodb-store'],
      connections: 32,
      time: 500
    },
    oneCore: { contenders: ONE_CORE, connections: 32, time: 1000 },
    cold: { contenders: FEW.slice(0, 2), processes: 8, ways: ['https environment'] },
    warm: { contenders: FEW.slice(0, 2), processes: 8 },
    memory: {
      idle: FEW.slice(0, 2),
      stores: [...FEW.slice(0, 3), ...REDIS],
      processes: 3,
      growing: 'dynamodb-session',
      operations: 200_000
    },
    cost: { users: 5, contenders: [...FEW.slice(0, 2), ...PROTECTED] }
  },
  smoke: {
    rounds: 1,
    firstWarmup: 20,
    calls: cells('http', ['get'], [2048], [16], { contenders: [...FEW, ...REDIS, 'encrypted', 'memory'], time: 50 }),
    apps: { express: ['memory', 'dynamodb-session', ...REDIS], koa: ['dynamodb-session'], connections: 4, time: 100 },
    oneCore: { contenders: ['dynamodb-session', 'node-redis'], connections: 4, time: 100 },
    cold: { contenders: ['dynamodb-session'], processes: 1, ways: ['https file'] },
    warm: { contenders: ['dynamodb-session'], processes: 1 },
    memory: {
      idle: ['dynamodb-session'],
      stores: ['dynamodb-session'],
      processes: 1,
      growing: 'dynamodb-session',
      operations: 1000
    },
    cost: { users: 1, contenders: ['dynamodb-session'] }
  }
}

module.exports = { SIZES, plans }
