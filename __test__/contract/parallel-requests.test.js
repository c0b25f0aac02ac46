'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { Client, LIFETIME, openRequest, startApp, startProcess } = require('../support/parallel-app')
const { expressSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

const USERS = 60
const fields = ['a', 'b', 'c', 'd', 'e', 'f']

/**
 * The scenario of the documentation: each user sends six requests at once that set different fields, and a seventh that
 * deletes one, and then logs out while a slow request runs. Returns what was lost.
 */
async function scenario(urls) {
  const lost = { updates: 0, deletes: 0, logouts: 0 }
  const user = async (number) => {
    const browser = new Client(urls)
    const at = (index) => number + index
    await browser.send({ set: { user: number, gone: 'yes' } }, at(0))
    const tab = browser.copy()
    await Promise.all([
      ...fields.map((name, index) => tab.send({ wait: 15, set: { [name]: `of ${number}` } }, at(index))),
      tab.send({ wait: 15, remove: ['gone'] }, at(6))
    ])
    const session = await tab.send({}, at(0))
    lost.updates += fields.filter((name) => session[name] !== `of ${number}`).length
    lost.deletes += session.gone === undefined ? 0 : 1
    const slow = tab.send({ wait: 60, set: { late: true } }, at(1))
    await new Promise((resolve) => setTimeout(resolve, 15))
    await tab.copy().send({ logout: true }, at(2))
    await slow
    const after = await tab.copy().send({}, at(0))
    lost.logouts += Object.keys(after).length > 0 ? 1 : 0
  }
  for (let first = 0; first < USERS; first += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => user(first + i)))
  }
  return lost
}

const nothing = { updates: 0, deletes: 0, logouts: 0 }

for (const framework of ['express', 'koa', 'fastify']) {
  describe(`parallel requests of ${framework} lose nothing`, () => {
    test('in one process', async (t) => {
      const app = await startApp(framework, { store: dynamodb.store() })
      t.after(app.close)
      assert.deepEqual(await scenario(app.url), nothing)
    })

    test('in three processes', async (t) => {
      const options = dynamodb.options()
      const apps = await Promise.all([1, 2, 3].map(() => startProcess(framework, 'dynamodb-session', options)))
      for (const app of apps) t.after(app.close)
      assert.deepEqual(await scenario(apps.map(({ url }) => url)), nothing)
    })
  })
}

describe("the compatible stores with onConflict: 'merge'", () => {
  for (const entry of entries) {
    const framework = entry.frameworks.includes('express') ? 'express' : 'koa'
    test(`${entry.name} merges, and its stamps are no changes`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      const place = { connection: dynamodb.connection, table }
      const store = entry.create(place, { onConflict: 'merge' })
      t.after(() => store.close())
      const conflicts = collectEvents(store, 'conflict')
      const sid = newSid()
      await store.set(sid, expressSession({ a: 1, b: 1, gone: 1 }, { maxAge: LIFETIME }))
      const requests = []
      for (let i = 0; i < 3; i++) requests.push(await openRequest(store, sid, framework))
      const [one, two, three] = requests
      one.session.c = 3
      delete one.session.gone
      two.session.b = 2
      await one.save()
      await two.save()
      await three.save()
      three.session.d = 4
      await three.save()
      const { cookie: _cookie, updated: _updated, lastModified: _lastModified, ...data } = await store.get(sid)
      const { _expire, _maxAge, ...fields } = data
      assert.deepEqual(fields, { a: 1, b: 2, c: 3, d: 4 })
      await nextTurn()
      assert.deepEqual(conflicts, [])
      await store.destroy(sid)
      one.session.e = 5
      await one.save()
      assert.ok((await store.get(sid)) == null)
    })

    const isNative = entry.name === 'dynamodb-session'
    test(`${entry.name} ${isNative ? 'merges by default' : 'overwrites by default and with an invalid option'}`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      for (const options of isNative ? [{}] : [{}, { onConflict: 'Merge' }]) {
        const store = entry.create({ connection: dynamodb.connection, table }, options)
        t.after(() => store.close())
        const sid = newSid()
        await store.set(sid, expressSession({ a: 1 }, { maxAge: LIFETIME }))
        const [one, two] = [await openRequest(store, sid, framework), await openRequest(store, sid, framework)]
        one.session.c = 3
        two.session.b = 2
        await one.save()
        await two.save()
        assert.equal((await store.get(sid)).c, isNative ? 3 : undefined)
      }
    })
  }
})
