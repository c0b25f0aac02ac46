'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { Browser } = require('../../support/browser')
const { frameworks, startKoaApp } = require('./koa-app')

function testApps(compatible) {
  for (const { name, session } of frameworks) {
    describe(name, { concurrency: true }, () => {
      /** An app on each store. The original comes first. */
      async function apps(t, options) {
        const { original, ours } = await compatible.pair()
        const both = await Promise.all([original, ours].map((store) => startKoaApp(session, { store, ...options })))
        t.after(() => both.forEach((app) => app.close()))
        return both
      }

      /** A browser for each app. The browsers share their cookies. */
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

      test(`an app on one store continues a session of the other, with ${name}`, async (t) => {
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

      test(`regenerate gives a session a new ID at login, with ${name}`, async (t) => {
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

      test(`option rolling extends the session on each request, with ${name}`, async (t) => {
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

      test(`option renew writes a session that is about to expire, with ${name}`, async (t) => {
        const [, ours] = await apps(t, { maxAge: 2000, renew: true })
        const browser = new Browser(ours.url)
        await visit(browser, '/login?user=Ann')
        assert.equal((await visit(browser, '/')).setCookies.length, 0)
        await sleep(1200)
        assert.ok((await visit(browser, '/')).setCookies.length > 0)
        await sleep(1200)
        assert.equal((await visit(browser, '/')).session.user, 'Ann')
      })

      test(`maxAge 'session' works, although the original fails, with ${name}`, async (t) => {
        const [theirs, ours] = await apps(t, { maxAge: 'session' })
        assert.equal((await fetch(`${theirs.url}/login?user=Ann`)).status, 400)
        const browser = new Browser(ours.url)
        const { setCookies } = await visit(browser, '/login?user=Ann')
        assert.equal(
          setCookies.some((cookie) => /expires=/i.test(cookie)),
          false
        )
        assert.equal((await visit(browser, '/')).session.user, 'Ann')
        // The original can read such a session.
        const reader = browser.copy(theirs.url)
        assert.equal((await visit(reader, '/')).session.user, 'Ann')
        await visit(browser, '/logout')
        assert.deepEqual((await visit(reader, '/')).session, {})
      })

      test(`the app responds with 500 if the table does not exist, with ${name}`, async (t) => {
        const { ours } = await compatible.pair()
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

  test('the store works with the calls of koa-generic-session', async () => {
    const { original, ours } = await compatible.pair()
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
