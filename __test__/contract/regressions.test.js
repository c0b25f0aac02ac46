'use strict'

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { test } = require('node:test')
const { DynamoDBStore } = require('../..')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

test('close() lets the operations under way finish', async () => {
  for (const options of [{}, { credentials: async () => dynamodb.connection.credentials }]) {
    for (let round = 0; round < 20; round++) {
      const store = new DynamoDBStore(dynamodb.options(options))
      const reads = Array.from({ length: 5 }, () => store.get(newSid()))
      const closed = store.close()
      assert.deepEqual(await Promise.all(reads), [null, null, null, null, null])
      await closed
      await assert.rejects(store.get(newSid()), { code: 'ClosedError' })
    }
  }
})

test('a special key of type B survives that its session is read and written again', async () => {
  const store = dynamodb.store({ specialKeys: [{ name: 'key', type: 'B' }] })
  const sid = newSid()
  await store.set(sid, newSession({ key: Buffer.from('secret') }))
  await store.set(sid, await store.get(sid))
  assert.equal(Buffer.from((await dynamodb.item(sid)).key.B).toString(), 'secret')
})

test('a field that JSON drops is no special key', async () => {
  const store = dynamodb.store({ specialKeys: [{ name: 'user', type: 'S' }] })
  for (const user of [() => 1, Symbol('s')]) {
    const sid = newSid()
    await store.set(sid, newSession({ user }))
    assert.equal((await dynamodb.item(sid)).user, undefined)
  }
})

test('a throttle as long as the lifetime does not end a session that is in use', async () => {
  assert.throws(() => new DynamoDBStore({ ttl: 60, touchAfter: 60 }), { code: 'ConfigError', message: /touchAfter/ })
  const store = dynamodb.store({ touchAfter: 60 })
  const sid = newSid()
  const session = { cookie: { maxAge: 4000 } }
  await store.set(sid, session)
  for (let i = 0; i < 6; i++) {
    await sleep(800)
    await store.touch(sid, session)
  }
  assert.notEqual(await store.get(sid), null)
})

test('a touch is written when touchAfter seconds have gone, and not before', needs('proxy'), async (context) => {
  const proxy = await dynamodb.proxy()
  const store = dynamodb.store({ endpoint: proxy.endpoint, touchAfter: 2 })
  const start = Math.ceil(Date.now() / 1000) * 1000
  context.mock.timers.enable({ apis: ['Date'], now: start })
  for (const offset of [0, 1, 400, 999]) {
    proxy.reset()
    const sid = newSid()
    const session = { cookie: { maxAge: 60_000 } }
    context.mock.timers.setTime(start + offset)
    await store.set(sid, session)
    context.mock.timers.setTime(start + offset + 1990)
    await store.touch(sid, session)
    assert.deepEqual(proxy.sent('UpdateItem'), [])
    context.mock.timers.setTime(start + offset + 2010)
    await store.touch(sid, session)
    assert.equal(proxy.sent('UpdateItem').length, 1)
  }
})

test('a key with a newline is refused where it is given', () => {
  for (const bad of [{ accessKeyId: 'a\n' }, { sessionToken: 't\n' }]) {
    const credentials = { accessKeyId: 'a', secretAccessKey: 's', ...bad }
    assert.throws(() => new DynamoDBStore({ credentials }), { code: 'ConfigError', message: /credentials/ })
  }
  const store = dynamodb.store({ credentials: async () => ({ accessKeyId: 'a\n', secretAccessKey: 's' }) })
  return assert.rejects(store.get(newSid()), { code: 'CredentialsError' })
})

test('a table without its time to live is used, and told of', needs('proxy'), async () => {
  const proxy = await dynamodb.proxy()
  proxy.on('UpdateTimeToLive', errorResponse(400, 'AccessDeniedException'))
  const warnings = collectEvents(process, 'warning')
  const table = dynamodb.newTableName()
  const store = dynamodb.store({ endpoint: proxy.endpoint, table, createTable: true })
  const sid = newSid()
  await store.set(sid, newSession())
  assert.notEqual(await store.get(sid), null)
  await sleep(0)
  const told = warnings.filter(({ code }) => code === 'DYNAMODB_SESSION_TABLE').map(({ message }) => message)
  assert.equal(told.length, 1)
  assert.match(told[0], /^UpdateTimeToLive on table/)
})

test('the Region of a table ARN is where its requests are signed for', needs('proxy'), async () => {
  const proxy = await dynamodb.proxy()
  const table = `arn:aws:dynamodb:eu-central-2:123456789012:table/${dynamodb.table}`
  const { region: _, ...connection } = dynamodb.connection
  const store = new DynamoDBStore({ ...connection, endpoint: proxy.endpoint, table, maxAttempts: 1 })
  await store.get(newSid()).catch(() => {})
  await store.close()
  assert.match(proxy.requests[0].headers.authorization, /\/eu-central-2\/dynamodb\//)
})

test("a session's own field id goes before the one that all() adds", async () => {
  const store = dynamodb.store({ prefix: 'own-id:' })
  await store.set('a', newSession({ id: 7 }))
  await store.set('b', newSession())
  assert.deepEqual((await store.all()).map(({ id }) => id).sort(), [7, 'b'])
})
