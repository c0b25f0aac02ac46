'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { Client, startApp, startProcess } = require('../support/parallel-app')

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
