'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const fc = require('fast-check')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { needs } = require('../support/features')
const { newSid, throughJSON } = require('../support/sessions')

const RUNS = 200
const dynamodb = useDynamoDB()

const [native] = entries
const addedFields = { 'dynamodb-store': 'updated', 'pwrdrvr-dynamodb-session-store': 'lastModified' }

/** Each kind of store, with its format, and the field that it adds to a session. */
const layouts = [
  ...entries.map((entry) => ({
    ...entry,
    format: /session$|connect-dynamodb$/.test(entry.name) ? 'json' : 'map',
    addedField: addedFields[entry.name.split('/')[1]]
  })),
  { ...native, name: 'dynamodb-session with format map', format: 'map', options: { format: 'map' } },
  {
    ...native,
    name: 'dynamodb-session with format map and a sort key',
    format: 'map',
    schema: { hashKey: 'pk', sortKey: 'sk' },
    options: { hashKey: 'pk', sortKey: 'sk', format: 'map' }
  }
]

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
  for (const { name, format, schema, addedField, create, options } of layouts) {
    test(`by ${name}`, async () => {
      const table = await dynamodb.newTable(schema)
      const store = create({ connection: dynamodb.connection, table }, options)
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
