'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { isSame, isUnchanged } = require('../../lib/parallel/changes')
const { mergeSessions } = require('../../lib/parallel/merge')
const { RandomJSON } = require('../support/random-json')

const RUNS = 500
const seed = process.env.SEED ? Number(process.env.SEED) : Math.floor(Math.random() * 1e9)
const expires = (minutes) => new Date(Date.UTC(2030, 0, 1, 0, minutes)).toISOString()
const frameworks = ['express', 'fastify', 'koa']

/** A session of a framework, in the order in which the framework serializes it. */
function sessionOf(framework, data, minutes = 0, maxAge = 3_600_000) {
  if (framework === 'koa') return { ...data, _expire: Date.parse(expires(minutes)), _maxAge: maxAge }
  return { cookie: { originalMaxAge: maxAge, expires: expires(minutes), path: '/', httpOnly: true }, ...data }
}

function merge(framework, base, theirs, mine, options) {
  return mergeSessions({ base, theirs, mine }, { framework, ...options })
}

/** Runs `check` with random data, and says how to repeat a failure. */
function withRandomData(t, check) {
  t.diagnostic(`SEED=${seed}`)
  const random = new RandomJSON(seed)
  for (let run = 0; run < RUNS; run++) {
    for (const framework of frameworks) {
      const sessionWith = (minutes, data = random.object()) => sessionOf(framework, data, minutes)
      check(random, sessionWith, framework)
    }
  }
}

describe('mergeSessions', () => {
  const options = { framework: 'express' }
  const merged = (base, theirs, mine, more) => mergeSessions({ base, theirs, mine }, { ...options, ...more })

  test('if nobody else has changed the session, the result is mine', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const [base, mine] = [sessionWith(0), sessionWith(1)]
      const { session, theyChanged, conflicts } = merge(framework, base, base, mine)
      assert.deepEqual(session, mine)
      assert.deepEqual([theyChanged, conflicts], [false, []])
    })
  })

  test('if only another request has changed the session, the result is theirs, and nothing needs to be written', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const [base, theirs] = [sessionWith(0), sessionWith(1)]
      const { session, changesTheirs, conflicts, own } = merge(framework, base, theirs, base)
      assert.deepEqual(session, theirs)
      assert.deepEqual([changesTheirs, conflicts, own.size], [false, [], 0])
    })
  })

  test('changes of different fields are kept, in either order', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const base = random.object()
      const [one, other] = [random.object(), random.object()]
      const prefixed = (prefix, data) => Object.fromEntries(Object.entries(data).map(([k, v]) => [prefix + k, v]))
      const start = { ...prefixed('both', base), ...prefixed('one', base), ...prefixed('other', base) }
      const shared = prefixed('both', base)
      const [mine, theirs, all] = [
        { ...shared, ...prefixed('one', one), ...prefixed('other', base) },
        { ...shared, ...prefixed('one', base), ...prefixed('other', other) },
        { ...shared, ...prefixed('one', one), ...prefixed('other', other) }
      ].map((data) => sessionWith(0, data))
      for (const [a, b] of [
        [mine, theirs],
        [theirs, mine]
      ]) {
        const { session, conflicts } = merge(framework, sessionWith(0, start), a, b)
        assert.deepEqual(session, all)
        assert.deepEqual(conflicts, [])
      }
    })
  })

  test('a field that both changed is mine, a deletion too', () => {
    const { session, conflicts, theyChanged, changesTheirs } = merged({ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3 })
    assert.deepEqual(session, { a: 3 })
    assert.deepEqual(conflicts, ['a', 'b'])
    assert.deepEqual([theyChanged, changesTheirs], [true, true])
    assert.deepEqual(merged({ a: 1 }, {}, { a: 2 }).session, { a: 2 })
  })

  test('a field that both changed to the same value is no conflict', () => {
    const same = merged({ a: { x: 1 } }, { a: { x: 2, y: [1] } }, { a: { x: 2, y: [1] } })
    assert.deepEqual([same.conflicts, same.changesTheirs], [[], false])
    // DynamoDB does not keep the order of fields in maps.
    const reordered = [{ a: { x: 1 } }, { a: { y: [1], x: 2 } }, { a: { x: 2, y: [1] } }]
    assert.deepEqual(merged(...reordered, { isMap: true }).conflicts, [])
    assert.deepEqual(merged(...reordered).conflicts, ['a'])
  })

  test('a function decides about each field that both changed, but never about the cookie', () => {
    const calls = []
    const mergeField = (...args) => {
      calls.push(args)
      return args[0] === 'gone' ? undefined : args[2] + args[3]
    }
    const base = { cookie: { path: '/' }, a: 1, gone: 1, mine: 1 }
    const theirs = { cookie: { path: '/t' }, a: 2, gone: 2, mine: 1 }
    const mine = { cookie: { path: '/m' }, a: 3, gone: 3, mine: 2 }
    const { session } = merged(base, theirs, mine, { mergeField })
    assert.deepEqual(session, { cookie: { path: '/m' }, a: 5, mine: 2 })
    assert.deepEqual(calls, [
      ['a', 1, 2, 3],
      ['gone', 1, 2, 3]
    ])
  })

  test('names of Object.prototype are ordinary fields', () => {
    const base = JSON.parse('{"__proto__":{"x":1},"constructor":1}')
    const theirs = JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":1}')
    const mine = JSON.parse('{"__proto__":{"x":2},"constructor":1,"valueOf":1}')
    const { session } = merged(base, theirs, mine)
    assert.deepEqual(Object.entries(session).sort(), [
      ['__proto__', { x: 2 }],
      ['constructor', 2],
      ['toString', 1],
      ['valueOf', 1]
    ])
    assert.equal(Object.getPrototypeOf(session), Object.prototype)
  })

  test('the times of the session come from whoever changed the lifetime, or else from the later version', () => {
    const [short, long] = [3_600_000, 86_400_000]
    for (const framework of frameworks) {
      const version = (minutes, maxAge = short) => sessionOf(framework, {}, minutes, maxAge)
      const cases = [
        [version(0), version(9), version(5), version(9), undefined],
        [version(0), version(5), version(9), version(9), undefined],
        [version(0), version(9), version(5, long), version(5, long), 'mine'],
        [version(0), version(5, long), version(9), version(5, long), 'theirs'],
        [version(0, long), version(5, short), version(9, long), version(5, short), 'theirs'],
        [version(0), version(5, long), version(9, 2 * long), version(9, 2 * long), 'mine']
      ]
      for (const [base, theirs, mine, expected, lifetimeOf] of cases) {
        const result = merge(framework, base, theirs, mine)
        assert.deepEqual([result.session, result.lifetimeOf], [expected, lifetimeOf], framework)
      }
      assert.deepEqual(merge(framework, ...cases[5]).conflicts, [framework === 'koa' ? '_maxAge' : 'cookie'])
      assert.equal(merge(framework, ...cases[1]).changesTheirs, false)
    }
  })

  test('a stamp is left out', () => {
    const { session, theyChanged } = merged({ at: 1, a: 1 }, { at: 2, a: 1 }, { at: 3, a: 2 }, { stampField: 'at' })
    assert.deepEqual([session, theyChanged], [{ a: 2 }, false])
  })
})

describe('isUnchanged', () => {
  test('says so of the same session with other times', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const data = random.object()
      const [base, text] = [sessionWith(0, data), sessionWith(9, data)].map((session) => JSON.stringify(session))
      assert.equal(isUnchanged(base, text, framework), true)
    })
  })

  test('never says so if a field has changed, even if the text is as long as before', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const session = { ...random.object(), number: 123, text: 'abc', list: [1, 2], object: { flag: 11 } }
      const changes = [
        { number: 124 },
        { text: 'abd' },
        { list: [2, 1] },
        { object: { flag: 12 } },
        { object: { glag: 11 } },
        { text: '","' }
      ]
      const change = random.pick(changes)
      const base = JSON.stringify(sessionWith(0, session))
      const text = JSON.stringify(sessionWith(random.below(2), { ...session, ...change }))
      assert.equal(isUnchanged(base, text, framework), false, `${base} ${text}`)
      const { number, ...without } = session
      const renamed = JSON.stringify(sessionWith(0, { ...without, numbes: number }))
      assert.equal(isUnchanged(base, renamed, framework), false, renamed)
    })
  })

  test('never says so of two random sessions that differ', (t) => {
    withRandomData(t, (random, sessionWith, framework) => {
      const [one, other] = [sessionWith(0), sessionWith(0)]
      const isSameData = isSame(one, other)
      assert.equal(isUnchanged(JSON.stringify(one), JSON.stringify(other), framework), isSameData)
    })
  })

  test('says no if the cookie or the lifetime has changed', () => {
    const cookie = (more) => JSON.stringify({ cookie: { originalMaxAge: 60_000, expires: expires(0), ...more }, a: 1 })
    assert.equal(isUnchanged(cookie({ path: '/a' }), cookie({ path: '/b' }), 'express'), false)
    assert.equal(isUnchanged(cookie({ secure: true }), cookie({ securd: true }), 'express'), false)
    assert.equal(isUnchanged(cookie({ path: '/}' }), cookie({ path: '/]' }), 'express'), false)
    assert.equal(isUnchanged(cookie({ originalMaxAge: 61_000 }), cookie({ originalMaxAge: 90_000 }), 'fastify'), false)
    assert.equal(isUnchanged(cookie({ originalMaxAge: 60_001 }), cookie({ originalMaxAge: 59_999 }), 'express'), true)
    const koa = (maxAge) => JSON.stringify({ a: 1, _expire: 1_900_000_000_000, _maxAge: maxAge })
    assert.equal(isUnchanged(koa(60_000), koa(90_000), 'koa'), false)
    assert.equal(isUnchanged('{"a":1,"_session":true}', '{"a":2,"_session":true}', 'koa'), false)
  })

  test('looks only at the times of the session itself', () => {
    const nested = (n) => `{"cookie":{"originalMaxAge":null},"x":{"cookie":{"expires":"${n}"},"_expire":${n}}}`
    const koa = (n) => `{"x":{"_expire":${n},"_maxAge":5},"_expire":1,"_maxAge":5}`
    const koaEnd = (n) => `{"_expire":1,"_maxAge":5,"x":{"_expire":${n},"_maxAge":5}}`
    const koaCookie = (n) => `{"cookie":{"expires":${n}},"_expire":1,"_maxAge":5}`
    assert.equal(isUnchanged(nested(1), nested(2), 'express'), false)
    for (const text of [koa, koaEnd, koaCookie]) assert.equal(isUnchanged(text(1), text(2), 'koa'), false, text(1))
    const express = (n) => `{"cookie":{"originalMaxAge":null},"_expire":${n},"_maxAge":5}`
    assert.equal(isUnchanged(express(1), express(2), 'express'), false)
  })

  test('ignores a stamp', () => {
    const stamped = (n, a = 1) => JSON.stringify({ ...sessionOf('express', { a }), updated: n })
    assert.equal(isUnchanged(stamped(1), stamped(2), 'express', 'updated'), true)
    assert.equal(isUnchanged(stamped(1), stamped(2, 2), 'express', 'updated'), false)
    assert.equal(isUnchanged(stamped(1), stamped(2), 'express'), false)
  })
})
