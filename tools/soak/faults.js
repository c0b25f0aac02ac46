'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const {
  errorResponse,
  partialBody,
  hangUp,
  noResponse,
  textResponse,
  wrongChecksum
} = require('../../__test__/support/fault-proxy')

/** Of requests, while there is no outage. */
const FAULT_RATE = 0.08
const OUTAGE_EVERY = 12_000
const OUTAGE_LASTS = 800
const LONGEST_DELAY = 150

/** Codes of the errors that these faults may end in. */
const expectedCodes = [
  'InternalServerError',
  'NetworkError',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'ThrottlingException',
  'TimeoutError'
]

/**
 * Makes a proxy meet requests with random faults. A request lands at once or never: one that lands after its
 * operation has failed would be a lost update that no store can prevent.
 */
class RandomFaults {
  #proxy
  #random
  #isOut = false
  #timers = []

  constructor(proxy, random) {
    this.#proxy = proxy
    this.#random = random
    this.count = 0
    proxy.on('*', (exchange) => this.#meet(exchange))
    this.#timers = [setInterval(() => this.#outage(), OUTAGE_EVERY), setInterval(() => this.#forget(), 1000)]
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer)
    this.#proxy.reset()
  }

  #meet(exchange) {
    const { response, forward } = exchange
    if (!this.#isOut && this.#random.random() >= FAULT_RATE) return passThrough(response, forward)
    this.count += 1
    return this.#isOut ? hangUp(exchange) : this.#random.pick(faults)(exchange, this.#random)
  }

  async #outage() {
    this.#isOut = true
    this.#proxy.closeConnections()
    await sleep(OUTAGE_LASTS, undefined, { ref: false })
    this.#isOut = false
  }

  /** A proxy keeps every request. */
  #forget() {
    this.#proxy.requests = []
  }
}

const faults = [
  errorResponse(400, 'ProvisionedThroughputExceededException'),
  errorResponse(400, 'ThrottlingException'),
  errorResponse(400, 'RequestLimitExceeded'),
  errorResponse(500, 'InternalServerError'),
  textResponse(503, '<html>'),
  textResponse(200, 'garbage'),
  hangUp,
  noResponse,
  partialBody,
  wrongChecksum,
  async ({ response, forward }, random) => {
    await sleep(random.below(LONGEST_DELAY))
    if (!response.destroyed) await passThrough(response, forward)
  },
  async ({ response, forward }, random) => {
    const answer = await forward()
    await sleep(random.below(LONGEST_DELAY))
    send(response, answer)
  },
  // It has landed, and nobody is told.
  async ({ response, forward }) => {
    await forward()
    response.socket?.destroy()
  },
  async ({ forward }) => void (await forward())
]

async function passThrough(response, forward) {
  send(response, await forward())
}

function send(response, { status, headers, text }) {
  if (response.destroyed) return
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
}

module.exports = { RandomFaults, expectedCodes }
