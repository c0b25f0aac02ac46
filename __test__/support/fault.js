'use strict'

const http = require('node:http')
const { once } = require('node:events')

/** A DynamoDB server that records requests, and misbehaves on demand instead of passing them on. */
class FaultProxy {
  requests = []
  connections = 0
  connectionsMade = 0
  mostConnections = 0
  #faults = []
  #server
  #target
  #agent = new http.Agent({ keepAlive: true })

  static async start(target) {
    const proxy = new FaultProxy(target)
    await proxy.#listen()
    return proxy
  }

  constructor(target) {
    this.#target = new URL(target)
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error))
    })
    this.#server.on('connection', (socket) => {
      this.connections += 1
      this.connectionsMade += 1
      this.mostConnections = Math.max(this.mostConnections, this.connections)
      socket.on('close', () => (this.connections -= 1))
    })
  }

  async #listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.endpoint = `http://127.0.0.1:${this.#server.address().port}`
  }

  /** Makes the next `times` requests of an operation ('*': of all) meet a fault. */
  on(operation, fault, times = Infinity) {
    this.#faults.push({ operation, fault, times })
    return this
  }

  /** The bodies of the requests of an operation so far. */
  sent(operation) {
    return this.requests.filter((request) => request.operation === operation).map((request) => request.body)
  }

  /** The names of the operations so far, in their order. */
  get operations() {
    return this.requests.map((request) => request.operation)
  }

  /** Forgets the requests and the faults so far. */
  reset() {
    this.requests = []
    this.#faults = []
  }

  closeConnections() {
    this.#server.closeAllConnections()
  }

  async close() {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request, response) {
    const text = await readAll(request)
    const operation = request.headers['x-amz-target']?.split('.')[1]
    this.requests.push({ operation, headers: request.headers, body: JSON.parse(text) })
    const found = this.#faults.find((fault) => fault.times > 0 && ['*', operation].includes(fault.operation))
    if (found) found.times -= 1
    const forward = () => this.#forward(request, text)
    await (found?.fault ?? passOn)({ response, forward, body: JSON.parse(text) })
  }

  async #forward({ method, url, headers }, text) {
    const { hostname, port } = this.#target
    const forwarded = http.request({ hostname, port, method, path: url, headers, agent: this.#agent })
    forwarded.end(text)
    const [answer] = await once(forwarded, 'response')
    return { status: answer.statusCode, headers: answer.headers, text: await readAll(answer) }
  }
}

async function readAll(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function send(response, { status, headers, text }) {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
}

async function passOn({ response, forward }) {
  send(response, await forward())
}

const jsonHeaders = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'REQUEST-OF-THE-FAULT' }

/** Answers with an error of DynamoDB. */
function errorAnswer(status, name, message = 'made by the test', headers) {
  const text = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message })
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Answers with this text as it is. */
function textAnswer(status, text, headers) {
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Passes the request on, and changes the answer. */
function changedAnswer(change) {
  return async ({ response, forward, body }) => {
    const answer = await forward()
    send(response, { ...answer, ...change(answer, body) })
  }
}

/** Passes the request on after a while. */
function delayed(milliseconds) {
  return ({ response, forward }) =>
    setTimeout(async () => {
      const answer = await forward()
      if (!response.destroyed) send(response, answer)
    }, milliseconds).unref()
}

/** Passes the request on, and keeps the answer until the promise is settled. */
function heldUntil(promise) {
  return async ({ response, forward }) => {
    const answer = await forward()
    await promise
    if (!response.destroyed) send(response, answer)
  }
}

/** Never answers. */
function silence() {}

/** Closes the connection instead of answering. */
function hangUp({ response }) {
  response.socket.destroy()
}

/** Closes the connection in the middle of the answer. */
async function halfAnswer({ response, forward }) {
  const { status, headers, text } = await forward()
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) + 10 })
  response.write(text, () => response.socket.destroy())
}

/** Gives the answer a checksum that is not its own. */
const wrongChecksum = changedAnswer(({ headers }) => ({ headers: { ...headers, 'x-amz-crc32': '1' } }))

module.exports = {
  FaultProxy,
  changedAnswer,
  delayed,
  errorAnswer,
  halfAnswer,
  hangUp,
  heldUntil,
  silence,
  textAnswer,
  wrongChecksum
}
