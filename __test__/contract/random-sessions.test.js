'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const fc = require('fast-check')
const session = require('express-session')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { newSid, throughJSON } = require('../support/sessions')

const RUNS = 200
const dynamodb = useDynamoDB()

/** Each layout: a store, its format, the keys of its table, and the field that the store adds to a session. */
const layouts = {
  'a store with format json': { format: 'json', create: (options) => dynamodb.store(options) },
  'a store with format map': { format: 'map', create: (options) => dynamodb.store({ ...options, format: 'map' }) },
  'a store with format map and a sort key': {
    format: 'map',
    schema: { hashKey: 'pk', sortKey: 'sk' },
    create: (options) => dynamodb.store({ ...options, hashKey: 'pk', sortKey: 'sk', format: 'map' })
  },
  'connect-dynamodb': {
    format: 'json',
    create: (options) => new (require('dynamodb-session/connect-dynamodb')(session))(options)
  },
  'dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'sessionId' },
    addedField: 'updated',
    create: ({ table: name, ...options }) =>
      new (require('dynamodb-session/dynamodb-store'))({ ...options, table: { name } })
  },
  'koa-session-dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'sessionId' },
    create: (options) => new (require('dynamodb-session/koa-session-dynamodb-store'))(options)
  },
  'baseline-koa-session-dynamodb-store': {
    format: 'map',
    schema: { hashKey: 'pk', sortKey: 'sk' },
    create: (options) => new (require('dynamodb-session/baseline-koa-session-dynamodb-store'))(options)
  },
  'pwrdrvr-dynamodb-session-store': {
    format: 'map',
    addedField: 'lastModified',
    create: ({ table: tableName, ...options }) =>
      new (require('dynamodb-session/pwrdrvr-dynamodb-session-store').DynamoDBStore)({ ...options, tableName })
  }
}

const text = fc.string({ unit: 'binary' })
const double = fc.double({ noDefaultInfinity: true, noNaN: true })
const isDynamoDBNumber = (number) => number === 0 || (Math.abs(number) >= 1e-130 && Math.abs(number) < 1e126)

/** Contents of a session: all that JSON.stringify accepts, including values that it drops or converts. */
const contents = {
  json: {
    key: fc.oneof(text, fc.constantFrom('', '__proto__', 'constructor', '\ud800')),
    leaf: fc.oneof(text, double, fc.integer(), fc.constantFrom('\udfff\ud800', NaN, Infinity))
  },
  map: {
    key: fc
      .oneof(text, fc.constantFrom('__proto__', 'constructor'))
      .filter((key) => key !== '' && (key !== '__proto__' || !needs('protoName').skip)),
    leaf: fc.oneof(text, double.filter(isDynamoDBNumber), fc.integer())
  }
}
const commonLeaf = fc.oneof(
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
    value: fc.oneof({ maxDepth: 6 }, leaf, commonLeaf, fc.array(tie('value'), { maxLength: 6 }), object(tie('value')))
  }))
  return object(value)
}

describe('random sessions are read back as JSON.parse(JSON.stringify(session))', () => {
  for (const [name, { format, schema, addedField, create }] of Object.entries(layouts)) {
    test(`by ${name}`, async () => {
      const table = await dynamodb.newTable(schema)
      const store = create({ ...dynamodb.connection, table })
      const property = fc.asyncProperty(sessions(format), async (session) => {
        const sid = newSid()
        const expected = throughJSON(session)
        await store.set(sid, session)
        const found = await store.get(sid)
        if (addedField !== undefined) {
          assert.ok(addedField in found)
          delete found[addedField]
        }
        assert.deepEqual(found, expected)
      })
      await fc.assert(property, { numRuns: RUNS })
    })
  }
})
