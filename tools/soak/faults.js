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

/** The share of requests that meet a fault outside of an outage. */
const FAULT_RATE = 0.08
const OUTAGE_EVERY = 12_000
const OUTAGE_LASTS = 800
const LONGEST_DELAY = 150

/** Codes of the errors that these faults may cause. */
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
 * Adds random faults to a proxy. A request reaches the table at once or never. One that reached it after its operation had
 * failed would be a lost update that no store can prevent.
 */
class RandomFaults {
  #proxy
  #random
  #isOutage = false
  #timers = []

  constructor(proxy, random) {
    this.#proxy = proxy
    this.#random = random
    this.count = 0
    proxy.on('*', (exchange) => this.#handle(exchange))
    this.#timers = [setInterval(() => this.#outage(), OUTAGE_EVERY), setInterval(() => this.#discardRecords(), 1000)]
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer)
    this.#proxy.reset()
  }

  #handle(exchange) {
    const { response, forward } = exchange
    if (!this.#isOutage && this.#random.random() >= FAULT_RATE) return passThrough(response, forward)
    this.count += 1
    return this.#isOutage ? hangUp(exchange) : this.#random.pick(faults)(exchange, this.#random)
  }

  async #outage() {
    this.#isOutage = true
    this.#proxy.closeConnections()
    await sleep(OUTAGE_LASTS, undefined, { ref: false })
    this.#isOutage = false
  }

  /** The proxy records every request. */
  #discardRecords() {
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
    const received = await forward()
    await sleep(random.below(LONGEST_DELAY))
    send(response, received)
  },
  // The request succeeds, but the response is lost.
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
