'use strict'

const assert = require('node:assert/strict')
const { before, describe, test } = require('node:test')
const { DynamoDBStore } = require('../..')
const { useDynamoDB } = require('../support/dynamodb')
const { serverKind } = require('../support/server')
const { newSid } = require('../support/sessions')

const skip = serverKind !== 'service' && 'needs DynamoDB itself: DYNAMODB=service'

// All other tests of a run reach DynamoDB through the gateway, without the caller's credentials.
/** Restores the caller's credentials and Region. */
function useCallerEnvironment() {
  Object.assign(process.env, JSON.parse(process.env.SHARED_DYNAMODB).callerEnvironment)
}

describe('a store with credentials, Region, and endpoint from the environment', { skip }, () => {
  const dynamodb = useDynamoDB()
  before(useCallerEnvironment)

  for (const format of ['json', 'map']) {
    test(`works on DynamoDB with format ${format}`, async (t) => {
      const { region } = dynamodb.connection
      const store = new DynamoDBStore({ table: dynamodb.table, region, format, touchAfter: 0, prefix: `${format}:` })
      t.after(() => store.close())
      const sid = newSid()
      const session = { cookie: { originalMaxAge: 60_000 }, user: 'Zoë', cart: [{ id: 1.5 }, null, true] }
      await store.set(sid, session)
      assert.deepEqual((await store.get(sid)).cart, session.cart)
      await store.touch(sid, { ...session, cookie: { originalMaxAge: 3_600_000 } })
      assert.deepEqual([await store.ids(), await store.length()], [[sid], 1])
      assert.equal((await store.all())[0].user, 'Zoë')
      assert.equal((await store.describeTable()).TableName, dynamodb.table)
      await store.destroy(sid)
      assert.equal(await store.get(sid), null)
      await assert.rejects(new DynamoDBStore({ table: `${dynamodb.table}-no`, region }).get(sid), /ResourceNotFound/)
      // The gateway, which limits the requests of a run, does not see these.
      const sent = Object.values(store.stats().operations).reduce((sum, count) => sum + count)
      assert.ok(sent < 20, `${sent} requests`)
    })
  }
})
