'use strict'

const { isDeepStrictEqual } = require('node:util')
const { Browser } = require('../../__test__/support/http')
const { expectedCodes } = require('./faults')

const GRAVES = 5

/**
 * Someone who uses the app, and knows what each of the sessions may be: the last state that was told, and what
 * failed writes since may have made of it.
 */
class User {
  #name
  #random
  #browser
  /** The states that the session of the browser may be in; null is none. */
  #possible = [null]
  /** Browsers with the cookies of sessions that were ended. */
  #graves = []

  constructor(url, name, random) {
    this.#name = name
    this.#random = random
    this.#browser = new Browser(url)
    this.answers = 0
    this.failures = 0
    this.violations = []
  }

  async act() {
    if (this.#isOut) return this.#login()
    const actions = [this.#look, this.#look, this.#write, this.#write, this.#write, this.#lookAtGrave]
    const rare = [this.#login, this.#logout, this.#logoutDuringRequest]
    return this.#random.pick(this.#random.below(10) === 0 ? rare : actions).call(this)
  }

  get #isOut() {
    return isDeepStrictEqual(this.#possible, [null])
  }

  async #look() {
    await this.#ask('GET /session', (state) => state)
  }

  async #write() {
    const [field, value] = [this.#random.pick(['a', 'b']), this.#random.below(2 ** 32)]
    const apply = (state) => state && { ...state, [field]: value }
    await this.#ask(`POST /write?field=${field}&value=${value}`, apply)
  }

  async #login() {
    const grave = this.#browser.copy()
    const fresh = { user: this.#name, a: 0, b: 0 }
    // Where it fails, the browser keeps its cookie, and the session of that may have been ended.
    const isAcknowledged = await this.#ask(
      `POST /login?user=${this.#name}`,
      () => fresh,
      () => null
    )
    if (isAcknowledged) this.#bury(grave)
  }

  async #logout() {
    const grave = this.#browser.copy()
    if (await this.#ask('POST /logout', () => null)) this.#bury(grave)
  }

  /** The request ends after the logout, and touches what is gone. */
  async #logoutDuringRequest() {
    const other = this.#browser.copy()
    const before = [...this.#possible, null]
    const milliseconds = this.#random.below(60)
    const [, slow] = await Promise.all([this.#logout(), this.#request(other, `GET /slow?milliseconds=${milliseconds}`)])
    if (slow.isAnswer) this.#check('GET /slow', slow.body, before)
    await this.#look()
  }

  async #lookAtGrave() {
    if (this.#graves.length === 0) return
    const { isAnswer, body } = await this.#request(this.#random.pick(this.#graves).copy(), 'GET /session')
    if (isAnswer) this.#check('GET /session of an ended session', body, [null])
  }

  /** Does a request that turns a state into another, also perhaps where it fails; gives whether it was acknowledged. */
  async #ask(request, apply, applyFailed = apply) {
    const { isAnswer, body } = await this.#request(this.#browser, request)
    if (isAnswer) {
      this.#check(request, body, this.#possible.map(apply))
      this.#possible = [body]
    } else {
      this.#possible.map(applyFailed).forEach((state) => this.#allow(state))
    }
    return isAnswer
  }

  async #request(browser, request) {
    const [method, path] = request.split(' ')
    const { status, body } = await browser.request(method, path)
    this.answers += 1
    const isAnswer = status === 200
    if (!isAnswer) {
      this.failures += 1
      if (!expectedCodes.includes(body.error)) this.#violate(request, `failed with ${body.error}`)
    }
    return { isAnswer, body }
  }

  #check(request, body, expected) {
    if (expected.some((state) => isDeepStrictEqual(state, body))) return
    this.#violate(request, `answered ${JSON.stringify(body)}, and not one of ${JSON.stringify(expected)}`)
  }

  #violate(request, what) {
    this.violations.push(`${this.#name}: ${request} ${what}`)
  }

  #allow(state) {
    if (!this.#possible.some((known) => isDeepStrictEqual(known, state))) this.#possible.push(state)
  }

  #bury(browser) {
    if (browser.cookies.size > 0) this.#graves = [browser, ...this.#graves].slice(0, GRAVES)
  }
}

module.exports = { User }
