'use strict'

const assert = require('node:assert/strict')
const { before, describe, test } = require('node:test')
const fc = require('fast-check')
const session = require('express-session')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { newSid, throughJSON } = require('../support/sessions')

const RUNS = 200
const dynamodb = useDynamoDB()

/** Each layout: a store, and the field that it adds to a session. */
const layouts = {
  'JSON text': { format: 'json', make: (options) => dynamodb.store(options) },
  'a map': { format: 'map', make: (options) => dynamodb.store({ ...options, format: 'map' }) },
  'a map under a sort key': {
    format: 'map',
    schema: { hashKey: 'pk', sortKey: 'sk' },
    make: (options) => dynamodb.store({ ...options, hashKey: 'pk', sortKey: 'sk', format: 'map' })
  },
  'connect-dynamodb': {
    format: 'json',
    make: (options) => new (require('dynamodb-session/connect-dynamodb')(session))(options)
  },
  'dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'sessionId' },
    stamp: 'updated',
    make: ({ table: name, ...options }) =>
      new (require('dynamodb-session/dynamodb-store'))({ ...options, table: { name } })
  },
  'koa-session-dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'sessionId' },
    make: (options) => new (require('dynamodb-session/koa-session-dynamodb-store'))(options)
  },
  'baseline-koa-session-dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'pk', sortKey: 'sk' },
    make: (options) => new (require('dynamodb-session/baseline-koa-session-dynamodb-store'))(options)
  },
  'pwrdrvr-dynamodb-session-store': {
    format: 'map',
    stamp: 'lastModified',
    make: ({ table: tableName, ...options }) =>
      new (require('dynamodb-session/pwrdrvr-dynamodb-session-store').DynamoDBStore)({ ...options, tableName })
  }
}

const text = fc.string({ unit: 'binary' })
const double = fc.double({ noDefaultInfinity: true, noNaN: true })
const isNumberOfMap = (number) => number === 0 || (Math.abs(number) >= 1e-130 && Math.abs(number) < 1e126)

/** What a session may hold: all that JSON.stringify takes, also what it drops or turns into something else. */
const contents = {
  json: {
    key: fc.oneof(text, fc.constantFrom('', '__proto__', 'constructor', '\ud800')),
    leaf: fc.oneof(text, double, fc.integer(), fc.constantFrom('\udfff\ud800', NaN, Infinity))
  },
  map: {
    key: fc
      .oneof(text, fc.constantFrom('__proto__', 'constructor'))
      .filter((key) => key !== '' && (key !== '__proto__' || !needs('protoName').skip)),
    leaf: fc.oneof(text, double.filter(isNumberOfMap), fc.integer())
  }
}
const leafOfAny = fc.oneof(
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, Symbol('x')),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array().map(Buffer.from),
  fc.constant(() => {})
)

function sessions(format) {
  const { key, leaf } = contents[format]
  const object = (value) => fc.array(fc.tuple(key, value), { maxLength: 6 }).map(Object.fromEntries)
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, leaf, leafOfAny, fc.array(tie('value'), { maxLength: 6 }), object(tie('value')))
  }))
  return object(value)
}

describe('any session comes back as JSON.parse(JSON.stringify(session)) from', () => {
  for (const [name, { format, schema, stamp, make }] of Object.entries(layouts)) {
    describe(name, () => {
      let store
      before(async () => {
        const table = await dynamodb.newTable(schema)
        store = make({ ...dynamodb.connection, table })
      })

      test(`${RUNS} sessions`, async () => {
        const property = fc.asyncProperty(sessions(format), async (session) => {
          const sid = newSid()
          const expected = throughJSON(session)
          await store.set(sid, session)
          const found = await store.get(sid)
          if (stamp !== undefined) {
            assert.ok(stamp in found)
            delete found[stamp]
          }
          assert.deepEqual(found, expected)
        })
        await fc.assert(property, { numRuns: RUNS })
      })
    })
  }
})
