'use strict'

const assert = require('node:assert/strict')
const { createHmac } = require('node:crypto')
const { describe, test } = require('node:test')
const { sessionIdIn } = require('../../cli/session-argument.js')
const { runCli, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse, hangUp, loseResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

const run = (...args) => runCli([...args, '--table', dynamodb.table], { connection: dynamodb.connection })

const signatureOf = (id) => createHmac('sha256', 'secret').update(id).digest('base64').replace(/=+$/, '')

describe('the session ID is found in', () => {
  const id = 'Zq8bYk3vLw_-a.b'
  const signed = `s:${id}.${signatureOf(id)}`
  const encoded = encodeURIComponent(signed)
  for (const [name, text, cookieName] of [
    ['a plain ID', id],
    ['a signed value', signed],
    ['an encoded value', encoded],
    ['a quoted value', `"${encoded}"`],
    ['a name and value', `connect.sid=${encoded}`],
    ['a name and value with any name', `my-app=${encoded}`],
    ['a header', `Cookie: theme=dark; connect.sid=${encoded}; lang=en`],
    ['a header with an unusual name', `theme=dark; app=${encoded}; lang=en`],
    ['a Set-Cookie header', `Set-Cookie: connect.sid=${encoded}; Path=/; HttpOnly`],
    ['a named cookie', `connect.sid=s%3Aother.x; app=${encoded}`, 'app'],
    ['a cookie of koa-session', `koa.sess=${id}; koa.sess.sig=abcdef`],
    ['a cookie of @fastify/session', `sessionId=${encodeURIComponent(`${id}.${signatureOf(id)}`)}; a=b`]
  ]) {
    test(name, () => assert.equal(sessionIdIn(text, cookieName), id))
  }

  test('an ID that ends with =', () => assert.equal(sessionIdIn('YWJj=='), 'YWJj=='))
  test('an ID with a percent sign', () => assert.equal(sessionIdIn('100%'), '100%'))
  test('an ID with a colon', () => assert.equal(sessionIdIn('user:1'), 'user:1'))
})

describe('show', () => {
  test('prints the session, its expiry, and its size', async () => {
    const sid = newSid()
    await dynamodb.store().set(sid, newSession({ user: 'ann' }, 3_600_000))
    const { code, stdout, stderr } = await run('show', sid)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^expires {2}20\d\d-.*Z \(in 60 minutes\)$/m)
    assert.match(stdout, /^ {2}"user": "ann"$/m)
    const { json } = await run('show', `connect.sid=s%3A${sid}.sig`, '--json')
    assert.equal(json.session.user, 'ann')
    assert.equal(json.id, sid)
    assert.equal(json.expired, false)
    assert.ok(Math.abs(json.expires - nowInSeconds() - 3600) < 10)
    assert.equal(json.expiresAt, new Date(json.expires * 1000).toISOString())
  })

  test('prints the item with --raw', async () => {
    const sid = newSid()
    await dynamodb.store().set(sid, newSession({ user: 'ann' }))
    assert.deepEqual((await run('show', sid, '--raw')).json, await dynamodb.item(sid))
  })

  test('shows that a session has expired, or never expires', async () => {
    const [expired, forever] = [newSid(), newSid()]
    await dynamodb.putItem(expired, { sess: { S: '{}' }, expires: { S: String(nowInSeconds() - 7200) } })
    await dynamodb.putItem(forever, { sess: { M: { a: { L: [{ N: '1' }, { NULL: true }] } } } })
    assert.match((await run('show', expired)).stdout, /expired 2 hours ago|expired 120 minutes ago/)
    assert.equal((await run('show', expired, '--json')).json.expired, true)
    const { json } = await run('show', forever, '--json')
    assert.deepEqual([json.expires, json.expiresAt, json.expired, json.session], [null, null, false, { a: [1, null] }])
    const beyond = newSid()
    await dynamodb.putItem(beyond, { sess: { S: '{}' }, expires: { N: '1e30' } })
    assert.match((await run('show', beyond)).stdout, /^expires {2}never$/m)
  })

  test('accepts a session ID that starts with a dash', async () => {
    for (const [sid, ...args] of [['-phr-niC_7r'], ['-hC7r'], ['-h--C7r'], ['-7', '--'], ['--table', '--']]) {
      await dynamodb.store().set(sid, newSession())
      const options = ['--table', dynamodb.table, '--json']
      const { json, stderr } = await runCli(['show', ...options, ...args, sid], { connection: dynamodb.connection })
      assert.equal(json?.id, sid, stderr)
      const removed = await runCli(['rm', ...options, ...args, sid], { connection: dynamodb.connection })
      assert.deepEqual([removed.code, removed.json?.id, await dynamodb.store().get(sid)], [0, sid, null])
    }
    assert.equal((await run('show', '-h')).code, 0)
    assert.match((await run('show', '-x')).stderr, /unknown option -x/)
    for (const args of [
      ['x', '-abc'],
      ['-abc', '--', 'x']
    ]) {
      assert.match((await run('rm', '--plain', ...args)).stderr, /unexpected argument/)
    }
    assert.match((await run('show', '--cookie-name', '-abc', 'a=b; c=d')).stderr, /-abc/)
  })

  test('reads the argument from standard input, and other layouts', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const item = { pk: { S: 'SESSION#x' }, sk: { S: 'SESSION#x' }, session: { M: { a: { N: '1' } } } }
    await dynamodb.raw.putItem(table, item)
    const { code, json } = await startCli(['show', '-', '--json', '--table', table, '--layout', 'baseline'], {
      connection: dynamodb.connection,
      input: 'koa.sess=x; koa.sess.sig=y\n'
    }).ended
    assert.equal(code, 0)
    assert.deepEqual(json.session, { a: 1 })
  })

  test('exits with 3 if the session does not exist, and does not print its ID', async () => {
    const { code, json, stderr } = await run('show', 'a-secret-id', '--json')
    assert.equal(code, 3)
    assert.equal(json.error.code, 'NotFound')
    assert.doesNotMatch(stderr + JSON.stringify(json), /a-secret-id/)
    const missing = await runCli(['show', 'x', '--table', dynamodb.newTableName()], { connection: dynamodb.connection })
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /init/)
  })

  test('fails on an item without a session, and does not print its content', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { sess: { S: '{"broken' } })
    const { code, stderr } = await run('show', sid)
    assert.equal(code, 1)
    assert.match(stderr, /--raw/)
    assert.doesNotMatch(stderr, /broken/)
  })
})

describe('rm', () => {
  test('deletes one session', async () => {
    const [sid, other] = [newSid(), newSid()]
    const store = dynamodb.store()
    for (const each of [sid, other]) await store.set(each, newSession())
    const { code, json } = await run('rm', `s:${sid}.sig`, '--json')
    assert.deepEqual([code, json], [0, { deleted: true, id: sid }])
    assert.equal(await dynamodb.item(sid), undefined)
    assert.ok(await dynamodb.item(other))
    assert.equal((await run('rm', sid)).code, 3)
  })

  for (const [name, fault] of Object.entries({ hangUp, 'an error': errorResponse(500, 'InternalServerError') })) {
    test(`reports a deleted session even if the response was lost: ${name}`, needs('proxy'), async () => {
      const sid = newSid()
      await dynamodb.store().set(sid, newSession())
      const proxy = await dynamodb.proxy()
      proxy.on('DeleteItem', loseResponse(fault), 1)
      const { code, json, stderr } = await run('rm', sid, '--json', '--endpoint', proxy.endpoint)
      assert.deepEqual([code, json], [0, { deleted: true, id: sid }], stderr)
      assert.match(stderr, /the response to the first attempt was lost/)
      assert.equal(await dynamodb.item(sid), undefined)
    })
  }

  test('exits with 3 if there was no session and the first attempt was throttled', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DeleteItem', errorResponse(400, 'ThrottlingException'), 1)
    assert.equal((await run('rm', newSid(), '--endpoint', proxy.endpoint)).code, 3)
  })

  test('uses the argument as the ID with --plain', async () => {
    const sid = `s:${newSid()}.x`
    await dynamodb.store().set(sid, newSession())
    assert.equal((await run('rm', sid)).code, 3)
    assert.equal((await run('rm', sid, '--plain')).code, 0)
    assert.equal(await dynamodb.item(sid), undefined)
  })
})
