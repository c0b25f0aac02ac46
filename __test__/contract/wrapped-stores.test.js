'use strict'

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { after, before, describe, test } = require('node:test')
const { inspect } = require('node:util')
const session = require('express-session')
const { callWithCallback } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { needs } = require('../support/features')
const { Browser } = require('../support/browser')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

const wrappers = {
  'a proxy': (store) => new Proxy(store, {}),
  'an object that inherits from it': (store) => Object.create(store)
}

const frameworks = Object.fromEntries(
  ['express', 'koa', 'fastify'].map((name) => [name, require(`./frameworks/${name}`)])
)

/** Arguments for the methods that take some. */
const argumentsOf = {
  get: () => [newSid()],
  set: () => [newSid(), newSession(), 60_000],
  touch: () => [newSid(), newSession()],
  destroy: () => [newSid()],
  createSession: () => [{}, newSession()],
  handleExpiredSession: () => [newSid(), () => {}],
  getExpiresValue: () => [newSession()],
  getParsedSession: () => [{ Item: { sess: { S: '{}' }, expires: { N: '9999999999' } } }],
  getExpirationDate: () => [newSession()],
  getSessionId: () => ['id'],
  setOptions: () => [{}],
  setOptionsAsInstanceAttributes: () => [{}]
}

/** These methods change the store, so they are called last. */
const lastMethods = ['clear', 'clearInterval', 'setOptions', 'setOptionsAsInstanceAttributes', 'close']

/** Members of the store's own classes, without those of EventEmitter and express-session's Store. */
function membersOf(store) {
  const members = {}
  for (
    let prototype = Object.getPrototypeOf(store);
    !isForeign(prototype);
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const { constructor: _, ...own } = Object.getOwnPropertyDescriptors(prototype)
    Object.assign(members, { ...own, ...members })
  }
  return members
}

const isForeign = (prototype) => [session.Store.prototype, EventEmitter.prototype].includes(prototype)

function methodsOf(store) {
  const members = membersOf(store)
  const methods = Object.keys(members).filter((name) => typeof members[name].value === 'function')
  return methods.sort((a, b) => lastMethods.indexOf(a) - lastMethods.indexOf(b))
}

for (const entry of entries) {
  describe(entry.name, () => {
    let table
    const stores = []
    const create = () => {
      const store = entry.create({ connection: dynamodb.connection, table })
      stores.push(store)
      return store
    }
    before(async () => (table = await dynamodb.newTable(entry.schema)))
    after(() => Promise.all(stores.map((store) => store.close?.())))

    for (const [name, wrap] of Object.entries(wrappers)) {
      test(`every method works through ${name}`, async () => {
        const direct = create()
        const wrapped = wrap(create())
        for (const method of methodsOf(direct)) {
          const args = argumentsOf[method] ?? (() => [])
          const outcome = async (store) => {
            try {
              return typeof (await store[method](...args()))
            } catch (error) {
              assert.notEqual(error.name, 'TypeError', `${method}: ${error.stack}`)
              return error.code
            }
          }
          const [wrappedOutcome, directOutcome] = [await outcome(wrapped), await outcome(direct)]
          // Time to live can be enabled only once.
          if (method !== 'setTtlField') assert.equal(wrappedOutcome, directOutcome, method)
        }
      })

      test(`properties are the same through ${name}`, () => {
        const direct = create()
        const wrapped = wrap(direct)
        for (const property in direct) assert.equal(wrapped[property], direct[property], property)
        for (const [property, { get }] of Object.entries(membersOf(direct))) {
          if (get !== undefined) assert.equal(wrapped[property], direct[property], property)
        }
      })

      for (const framework of entry.frameworks.flatMap((name) => frameworks[name])) {
        test(`${framework.name} serves sessions through ${name}`, { timeout: 20_000 }, async (t) => {
          const app = await framework.start({ store: wrap(create()) })
          t.after(() => app.close())
          const browser = new Browser(app.url)
          for (const views of [1, 2]) assert.equal((await browser.get('/count')).body.views, views)
          assert.equal((await browser.get('/')).body.session.views, 2)
          assert.equal((await browser.post('/login?user=ann')).status, 200)
          assert.equal((await browser.get('/')).body.session.user, 'ann')
          if (framework.abilities.reload) assert.equal((await browser.get('/reload')).body.session.user, 'ann')
          assert.equal((await browser.post('/logout')).status, 200)
          assert.equal((await browser.get('/')).body.session.user, undefined)
        })
      }
    }

    test('printing, copying, and serializing a store reveal no internals', () => {
      const store = create()
      assert.doesNotMatch(inspect(store, { depth: 10 }), /sessions?\.state|Sessions|Connection|NativeStore/)
      assert.deepEqual(
        Object.getOwnPropertySymbols({ ...store })
          .map(String)
          .filter((name) => /dynamodb/.test(name)),
        []
      )
      assert.doesNotMatch(JSON.stringify(store), /secret/i)
    })
  })
}

describe('a wrapper that delegates to the store', () => {
  for (const [name, forwards, updates] of [
    ['saves touches if it forwards createSession', true, 0],
    ['writes each touch if it does not forward createSession', false, 1]
  ]) {
    test(name, needs('proxy'), async () => {
      const proxy = await dynamodb.proxy()
      const store = dynamodb.store({ endpoint: proxy.endpoint })
      const wrapper = new (class extends session.Store {
        get = (...args) => store.get(...args)
        touch = (...args) => store.touch(...args)
        createSession(...args) {
          return forwards ? store.createSession(...args) : super.createSession(...args)
        }
      })()
      await store.set('a', { cookie: new session.Cookie({ maxAge: 3_600_000 }) })
      const { value: loaded } = await callWithCallback(wrapper, 'load', 'a')
      loaded.touch()
      await wrapper.touch('a', loaded)
      assert.equal(proxy.sent('UpdateItem').length, updates)
    })
  }
})
