'use strict'

const { isDeepStrictEqual } = require('node:util')
const { Browser } = require('../../__test__/support/browser')
const { expectedCodes } = require('./faults')

const KEPT_ENDED = 5

/**
 * A user of the app who knows which states each session may be in: the last confirmed state, and those that later failed
 * writes may have produced.
 */
class User {
  #name
  #random
  #browser
  /** The states that the session of the browser may be in. Null means no session. */
  #possible = [null]
  /** Browsers with the cookies of sessions that have ended. */
  #ended = []

  constructor(url, name, random) {
    this.#name = name
    this.#random = random
    this.#browser = new Browser(url)
    this.responses = 0
    this.failures = 0
    this.violations = []
  }

  async act() {
    if (this.#isLoggedOut) return this.#login()
    const actions = [this.#read, this.#read, this.#write, this.#write, this.#write, this.#readEndedSession]
    const rare = [this.#login, this.#logout, this.#logoutDuringRequest]
    return this.#random.pick(this.#random.below(10) === 0 ? rare : actions).call(this)
  }

  get #isLoggedOut() {
    return isDeepStrictEqual(this.#possible, [null])
  }

  async #read() {
    await this.#send('GET /session', (state) => state)
  }

  async #write() {
    const [field, value] = [this.#random.pick(['a', 'b']), this.#random.below(2 ** 32)]
    const apply = (state) => state && { ...state, [field]: value }
    await this.#send(`POST /write?field=${field}&value=${value}`, apply)
  }

  async #login() {
    const ended = this.#browser.copy()
    const fresh = { user: this.#name, a: 0, b: 0 }
    // If it fails, the browser keeps its cookie, and the session of that cookie may have ended.
    const isAcknowledged = await this.#send(
      `POST /login?user=${this.#name}`,
      () => fresh,
      () => null
    )
    if (isAcknowledged) this.#keepEnded(ended)
  }

  async #logout() {
    const ended = this.#browser.copy()
    if (await this.#send('POST /logout', () => null)) this.#keepEnded(ended)
  }

  /** The request ends after the logout, and touches a session that no longer exists. */
  async #logoutDuringRequest() {
    const other = this.#browser.copy()
    const before = [...this.#possible, null]
    const milliseconds = this.#random.below(60)
    const [, slow] = await Promise.all([this.#logout(), this.#request(other, `GET /slow?milliseconds=${milliseconds}`)])
    if (slow.isResponse) this.#check('GET /slow', slow.body, before)
    await this.#read()
  }

  async #readEndedSession() {
    if (this.#ended.length === 0) return
    const { isResponse, body } = await this.#request(this.#random.pick(this.#ended).copy(), 'GET /session')
    if (isResponse) this.#check('GET /session of an ended session', body, [null])
  }

  /** Sends a request that changes the state, perhaps even if it fails. Returns whether it was acknowledged. */
  async #send(request, apply, applyFailed = apply) {
    const { isResponse, body } = await this.#request(this.#browser, request)
    if (isResponse) {
      this.#check(request, body, this.#possible.map(apply))
      this.#possible = [body]
    } else {
      this.#possible.map(applyFailed).forEach((state) => this.#allow(state))
    }
    return isResponse
  }

  async #request(browser, request) {
    const [method, path] = request.split(' ')
    const { status, body } = await browser.request(method, path)
    this.responses += 1
    const isResponse = status === 200
    if (!isResponse) {
      this.failures += 1
      if (!expectedCodes.includes(body.error)) this.#violate(request, `failed with ${body.error}`)
    }
    return { isResponse, body }
  }

  #check(request, body, expected) {
    if (expected.some((state) => isDeepStrictEqual(state, body))) return
    this.#violate(request, `returned ${JSON.stringify(body)}; expected one of ${JSON.stringify(expected)}`)
  }

  #violate(request, what) {
    this.violations.push(`${this.#name}: ${request} ${what}`)
  }

  #allow(state) {
    if (!this.#possible.some((known) => isDeepStrictEqual(known, state))) this.#possible.push(state)
  }

  #keepEnded(browser) {
    if (browser.cookies.size > 0) this.#ended = [browser, ...this.#ended].slice(0, KEPT_ENDED)
  }
}

module.exports = { User }
