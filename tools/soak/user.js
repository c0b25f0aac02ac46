'use strict'

const { isDeepStrictEqual } = require('node:util')
const { Browser } = require('../../__test__/support/browser')
const { expectedCodes } = require('./faults')

const KEPT_ENDED = 5
/** How long a request that runs in parallel with others takes at most, in milliseconds. */
const LONGEST_REQUEST = 60
const FIELDS = ['a', 'b', 'c', 'd']

/**
 * A user of the app who knows which states each session may be in: the last confirmed state, and those that later failed
 * writes may have produced.
 */
class User {
  #name
  #urls
  #random
  #browser
  /** The states that the session of the browser may be in. Null means no session. */
  #possible = [null]
  /** Browsers with the cookies of sessions that have ended. */
  #ended = []

  /** Requests go to the first URL, and those that run in parallel with others go to any. */
  constructor(urls, name, random) {
    this.#name = name
    this.#urls = urls
    this.#random = random
    this.#browser = new Browser(urls[0])
    this.responses = 0
    this.failures = 0
    this.violations = []
  }

  async act() {
    if (this.#isLoggedOut) return this.#login()
    const actions = [this.#read, this.#read, this.#write, this.#write, this.#writeInParallel, this.#readEndedSession]
    const rare = [this.#login, this.#logout, this.#logoutDuringRequests]
    return this.#random.pick(this.#random.below(10) === 0 ? rare : actions).call(this)
  }

  get #isLoggedOut() {
    return isDeepStrictEqual(this.#possible, [null])
  }

  async #read() {
    await this.#send('GET /session', (state) => state)
  }

  async #write() {
    const { request, apply } = this.#writeOf(this.#random.pick(FIELDS))
    await this.#send(request, apply)
  }

  async #writeInParallel() {
    const before = this.#possible
    const outcomes = await this.#sendWrites(this.#writesOfDifferentFields(), before)
    this.#possible = unique(afterWrites(before, outcomes))
    await this.#read()
  }

  async #login() {
    const ended = this.#browser.copy()
    const fresh = { user: this.#name }
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
    const isAcknowledged = await this.#send('POST /logout', () => null)
    if (isAcknowledged) this.#keepEnded(ended)
    return isAcknowledged
  }

  /** Requests that end after the logout save or touch a session that no longer exists. */
  async #logoutDuringRequests() {
    const before = this.#possible
    const writes = this.#writesOfDifferentFields()
    const [isAcknowledged, outcomes] = await Promise.all([
      this.#logout(),
      this.#sendWrites(writes, [...before, null]),
      this.#readSlowly(withAny(writes, [...before, null]))
    ])
    if (!isAcknowledged) this.#possible = unique([null, ...afterWrites(before, outcomes)])
    await this.#read()
  }

  async #readSlowly(expected) {
    const request = `GET /session?milliseconds=${this.#random.below(LONGEST_REQUEST)}`
    const { isResponse, body } = await this.#request(this.#copyForAnyApp(), request)
    if (isResponse) this.#check(request, body, expected)
  }

  #copyForAnyApp() {
    return this.#browser.copy(this.#random.pick(this.#urls))
  }

  /** Two or more writes that take a while. */
  #writesOfDifferentFields() {
    const fields = FIELDS.slice(this.#random.below(FIELDS.length - 1))
    return fields.map((field) => this.#writeOf(field, this.#random.below(LONGEST_REQUEST)))
  }

  #writeOf(field, milliseconds = '') {
    const value = this.#random.below(2 ** 32)
    return {
      request: `POST /write?field=${field}&value=${value}&milliseconds=${milliseconds}`,
      apply: (state) => state && { ...state, [field]: value }
    }
  }

  /** Sends writes at once. `states`: those that the session may be in when a write reads it, apart from the other writes. */
  #sendWrites(writes, states) {
    return Promise.all(
      writes.map(async (write) => {
        const { isResponse, body } = await this.#request(this.#copyForAnyApp(), write.request)
        const others = writes.filter((other) => other !== write)
        if (isResponse) this.#check(write.request, body, withAny(others, states).map(write.apply))
        return { apply: write.apply, isResponse, body }
      })
    )
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

/** The states after any of the writes. */
function withAny(writes, states) {
  return writes.reduce((states, { apply }) => states.flatMap((state) => [state, apply(state)]), states)
}

/** The states after all writes that were acknowledged, and any of the others. */
function afterWrites(states, outcomes) {
  return outcomes.reduce((states, { apply, isResponse, body }) => {
    if (!isResponse) return withAny([{ apply }], states)
    return states.filter((state) => (state === null) === (body === null)).map(apply)
  }, states)
}

function unique(states) {
  return states.filter((state, i) => states.findIndex((other) => isDeepStrictEqual(other, state)) === i)
}

module.exports = { User }
