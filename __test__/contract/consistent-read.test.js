'use strict'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const { callBothWays } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('the option consistentRead', needs('proxy'), () => {
  let proxy
  let sid
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(async () => {
    sid = newSid()
    await dynamodb.store().set(sid, newSession({ user: 'Ann' }))
    proxy.reset()
  })

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })
  const reads = () => proxy.sent('GetItem').map(({ ConsistentRead = false }) => ConsistentRead)

  for (const [consistentRead, expected] of [
    [undefined, true],
    [true, true],
    [false, false]
  ]) {
    test(`${consistentRead} reads ${expected ? 'with strong consistency' : 'with eventual consistency'}`, async () => {
      const store = newStore({ consistentRead })
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(await store.get(newSid()), null)
      assert.deepEqual(reads(), [expected, expected])
    })
  }

  test('on-miss reads an existing session once', async () => {
    assert.equal((await newStore({ consistentRead: 'on-miss' }).get(sid)).user, 'Ann')
    assert.deepEqual(reads(), [false])
  })

  test('on-miss reads a missing session again with strong consistency', async () => {
    assert.deepEqual(await callBothWays(newStore({ consistentRead: 'on-miss' }), 'get', newSid()), { value: null })
    assert.deepEqual(reads(), [false, true, false, true])
  })

  test('on-miss finds a session that the first read did not see yet', async () => {
    proxy.on('GetItem', textResponse(200, '{}'), 1)
    assert.equal((await newStore({ consistentRead: 'on-miss' }).get(sid)).user, 'Ann')
    assert.deepEqual(reads(), [false, true])
  })
})
