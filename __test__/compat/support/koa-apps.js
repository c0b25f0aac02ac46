'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { Browser } = require('../../support/browser')
const { frameworks, startKoaApp } = require('./koa-app')

function testApps(face) {
  for (const { name, session } of frameworks) {
    describe(name, { concurrency: true }, () => {
      /** An app on each store, the original first, and a browser that knows which to ask. */
      async function apps(t, options) {
        const { original, ours } = await face.pair()
        const both = await Promise.all([original, ours].map((store) => startKoaApp(session, { store, ...options })))
        t.after(() => both.forEach((app) => app.close()))
        return both
      }

      /** A browser on each app with one jar. */
      function browsers([one, other]) {
        const browser = new Browser(one.url)
        const twin = new Browser(other.url)
        twin.cookies = browser.cookies
        return [browser, twin]
      }

      const visit = async (browser, path) => {
        const { status, body, setCookies } = await browser.get(path)
        assert.equal(status, 200)
        return { ...body, setCookies }
      }

      test('hands a session from the one to the other, and back', async (t) => {
        const both = await apps(t, { maxAge: 60_000 })
        for (const [first, second] of [both, both.toReversed()]) {
          const [one, other] = browsers([first, second])
          await visit(one, '/login?user=Ann')
          await visit(other, '/cart?item=tea')
          const { session: seen } = await visit(one, '/cart?item=milk')
          assert.deepEqual(seen, { user: 'Ann', cart: ['tea', 'milk'] })
          await visit(other, '/logout')
          assert.deepEqual((await visit(one, '/')).session, {})
        }
      })

      test('gives a session another id at login', async (t) => {
        const both = await apps(t, { maxAge: 60_000 })
        for (const [first, second] of [both, both.toReversed()]) {
          const [one, other] = browsers([first, second])
          await visit(one, '/cart?item=tea')
          const before = (await visit(one, '/')).id
          const thief = other.copy()
          await visit(other, '/login?user=Ann&regenerate=1')
          const after = await visit(one, '/')
          assert.notEqual(after.id, before)
          assert.deepEqual(after.session, { cart: ['tea'], user: 'Ann' })
          assert.deepEqual((await visit(thief, '/')).session, {})
        }
      })

      test('moves the expiry of each request with rolling', async (t) => {
        const both = await apps(t, { maxAge: 2400, rolling: true })
        const [one, other] = browsers(both)
        await visit(one, '/login?user=Ann')
        for (let i = 0; i < 4; i++) {
          await sleep(800)
          const { session: seen, setCookies } = await visit(i % 2 ? one : other, '/')
          assert.equal(seen.user, 'Ann')
          assert.ok(setCookies.length > 0)
        }
        await sleep(2600)
        assert.deepEqual((await visit(other, '/')).session, {})
      })

      test('writes a session that is about to end with renew', async (t) => {
        const [, ours] = await apps(t, { maxAge: 2000, renew: true })
        const browser = new Browser(ours.url)
        await visit(browser, '/login?user=Ann')
        assert.equal((await visit(browser, '/')).setCookies.length, 0)
        await sleep(1200)
        assert.ok((await visit(browser, '/')).setCookies.length > 0)
        await sleep(1200)
        assert.equal((await visit(browser, '/')).session.user, 'Ann')
      })

      test("serves maxAge 'session', with which the original fails", async (t) => {
        const [theirs, ours] = await apps(t, { maxAge: 'session' })
        assert.equal((await fetch(`${theirs.url}/login?user=Ann`)).status, 400)
        const browser = new Browser(ours.url)
        const { setCookies } = await visit(browser, '/login?user=Ann')
        assert.equal(
          setCookies.some((cookie) => /expires=/i.test(cookie)),
          false
        )
        assert.equal((await visit(browser, '/')).session.user, 'Ann')
        // A reader that the original can be, too.
        const reader = browser.copy(theirs.url)
        assert.equal((await visit(reader, '/')).session.user, 'Ann')
        await visit(browser, '/logout')
        assert.deepEqual((await visit(reader, '/')).session, {})
      })

      test('answers 500 when the table cannot be reached', async (t) => {
        const { ours } = await face.pair()
        const app = await startKoaApp(session, { store: ours })
        t.after(() => app.close())
        const browser = new Browser(app.url)
        await visit(browser, '/login?user=Ann')
        ours.tableName += '-never-made'
        const headers = { cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') }
        assert.equal((await fetch(`${app.url}/`, { headers })).status, 500)
        assert.equal((await fetch(`${app.url}/login?user=Bob`)).status, 500)
        assert.deepEqual(
          app.errors.map(({ code }) => code),
          ['ResourceNotFoundException', 'ResourceNotFoundException']
        )
        assert.equal(app.errors[0].message, 'Unable to get session.')
      })
    })
  }

  test('serves what koa-generic-session calls', async () => {
    const { original, ours } = await face.pair()
    const id = 'koa:sess:an-id'
    const session = {
      cookie: { path: '/', httpOnly: true, maxAge: 60_000, overwrite: true, signed: true },
      user: 'Ann'
    }
    for (const [writer, reader] of [
      [original, ours],
      [ours, original]
    ]) {
      await writer.set(id, session, 60_000)
      assert.deepEqual(await reader.get(id), session)
      await reader.destroy(id)
      assert.equal(await writer.get(id), undefined)
    }
    await ours.set(id, { ...session, cookie: { ...session.cookie, maxAge: null } }, undefined)
    assert.equal((await ours.get(id)).user, 'Ann')
    for (const event of ['connect', 'disconnect']) ours.on(event, () => assert.fail(event))
  })
}

module.exports = { testApps }
