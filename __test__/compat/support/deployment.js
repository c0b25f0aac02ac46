'use strict'

const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { Browser } = require('../../support/browser')

const USERS = 50

/** Starts the shop in a process. */
async function startShop(t, settings) {
  const child = fork(path.join(__dirname, 'shop.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exit = once(child, 'exit')
  const end = async () => {
    if (child.connected) child.disconnect()
    await exit
  }
  t.after(end)
  child.send(settings)
  const failed = exit.then(([code]) => assert.fail(`the shop with ${settings.module} ended with ${code}`))
  const [url] = await Promise.race([once(child, 'message'), failed])
  return { url, end }
}

/** A user of a shop. Each request goes to the next one of the processes that serve it. */
class User {
  #browser = new Browser('')
  #cart = []
  #index
  #turn

  constructor(index) {
    this.#index = index
    this.#turn = index
    this.name = `user-${index}`
  }

  async #ask(urls, method, route, browser = this.#browser) {
    browser.url = urls[this.#turn++ % urls.length]
    const { status, body } = await browser.request(method, route)
    assert.equal(status, 200, `${method} ${route}: ${JSON.stringify(body)}`)
    return body.session
  }

  async login(urls) {
    this.#cart = []
    assert.deepEqual(await this.#ask(urls, 'POST', `/login?user=${this.name}`), { user: this.name })
  }

  async shop(urls) {
    this.#cart.push(`${this.name}:${this.#turn}`)
    const expected = { user: this.name, cart: this.#cart }
    assert.deepEqual(await this.#ask(urls, 'POST', `/cart?item=${this.#cart.at(-1)}`), expected)
    for (let look = 0; look < 2; look++) assert.deepEqual(await this.#ask(urls, 'GET', '/'), expected)
  }

  async logout(urls) {
    const stolen = this.#browser.copy()
    await this.#ask(urls, 'POST', '/logout')
    for (const browser of [this.#browser, stolen.copy(), stolen.copy()]) {
      assert.deepEqual(await this.#ask(urls, 'GET', '/', browser), {})
    }
  }

  /** One phase of a deployment. Every second user logs out and in again in one of the phases. */
  async live(urls, phase) {
    await this.shop(urls)
    if (this.#index % 10 !== phase) return
    await this.logout(urls)
    await this.login(urls)
    await this.shop(urls)
  }
}

/**
 * Replaces processes with one module by processes with the other, and back. No user may lose a session or see the session
 * of another user.
 */
function testDeployments([original, ours], settingsOf) {
  const orders = [
    [original, ours],
    [ours, original]
  ]
  for (const [order, [one, other]] of orders.entries()) {
    test(`${USERS} users keep their sessions in a rolling deployment from ${one} to ${other} and back`, async (t) => {
      const settings = await settingsOf(order)
      const users = Array.from({ length: USERS }, (_, index) => new User(index))
      const shops = new Map()
      for (const [phase, modules] of [[one], [one, other], [other], [other, one], [one]].entries()) {
        for (const module of modules) {
          if (!shops.has(module)) shops.set(module, await startShop(t, { ...settings, module }))
        }
        for (const [module, { end }] of shops) {
          if (modules.includes(module)) continue
          await end()
          shops.delete(module)
        }
        const urls = [...shops.values()].map(({ url }) => url)
        if (phase === 0) await Promise.all(users.map((user) => user.login(urls)))
        await Promise.all(users.map((user) => user.live(urls, phase)))
      }
      const urls = [...shops.values()].map(({ url }) => url)
      await Promise.all(users.map((user) => user.logout(urls)))
    })
  }
}

module.exports = { testDeployments }
