'use strict'

const http = require('node:http')
const net = require('node:net')
const tls = require('node:tls')
const { once } = require('node:events')
const faults = require('./fault-behaviors')

const { passThrough, readAll } = faults

/**
 * A proxy in front of a DynamoDB server that records requests and injects faults. A connection fault takes over a socket
 * before anything is read; a request fault replaces the forwarding of a request. See ./fault-behaviors.js.
 */
class FaultProxy {
  requests = []
  connections = 0
  connectionsMade = 0
  mostConnections = 0
  #faults = []
  #connectionFaults = []
  #sockets = new Set()
  #http
  #server
  #target
  #agent = new http.Agent({ keepAlive: true })

  /** Starts a proxy, with TLS if a certificate (`{ key, cert }`) is given. */
  static async start(target, { certificate, host, port = 0 } = {}) {
    const proxy = new FaultProxy(target, certificate)
    await proxy.listen(port, host)
    return proxy
  }

  constructor(target, certificate) {
    this.#target = new URL(target)
    this.#http = http.createServer((request, response) => {
      this.#handle(request, response).catch((error) => response.destroy(error))
    })
    const listener = (socket) => this.#accept(socket)
    this.#server = certificate ? tls.createServer(certificate, listener) : net.createServer(listener)
    this.#server.on('connection', (socket) => this.#count(socket))
    // The store may abort a handshake.
    this.#server.on('tlsClientError', () => {})
  }

  async listen(port = this.port, host = '127.0.0.1') {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    this.port = this.#server.address().port
    const scheme = this.#server instanceof tls.Server ? 'https' : 'http'
    this.endpoint = `${scheme}://${host}:${this.port}`
  }

  /** Closes all connections and refuses new ones, until `listen` is called. */
  async refuse() {
    this.#server.close()
    this.closeConnections()
    await once(this.#server, 'close')
  }

  /** Applies a fault to the next `times` requests of an operation ('*': of any). */
  on(operation, fault, times = Infinity) {
    this.#faults.push({ operation, fault, times })
    return this
  }

  /** Applies a fault to the next `times` connections. */
  onConnection(fault, times = Infinity) {
    this.#connectionFaults.push({ fault, times })
    return this
  }

  /** Changes the certificate for new connections. */
  useCertificate(certificate) {
    this.#server.setSecureContext(certificate)
  }

  /** The bodies of the requests of an operation so far. */
  sent(operation) {
    return this.requests.filter((request) => request.operation === operation).map((request) => request.body)
  }

  /** The operations of the requests so far. */
  get operations() {
    return this.requests.map((request) => request.operation)
  }

  /** Forgets the requests and the faults so far. */
  reset() {
    this.requests = []
    this.#faults = []
    this.#connectionFaults = []
  }

  closeConnections() {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Keeps the current connections open, but reads nothing more from them. */
  freezeConnections() {
    for (const socket of this.#sockets) socket.pause().removeAllListeners('data')
  }

  async close() {
    this.#agent.destroy()
    this.closeConnections()
    this.#server.close()
  }

  #count(socket) {
    this.connections += 1
    this.connectionsMade += 1
    this.mostConnections = Math.max(this.mostConnections, this.connections)
    this.#sockets.add(socket)
    // Many tests reset connections.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.connections -= 1
      this.#sockets.delete(socket)
    })
  }

  #accept(socket) {
    socket.on('error', () => {})
    // With TLS, this is not the socket that was counted.
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const found = takeOne(this.#connectionFaults)
    if (found) found.fault(socket)
    else this.#http.emit('connection', socket)
  }

  async #handle(request, response) {
    const text = await readAll(request)
    const operation = request.headers['x-amz-target']?.split('.')[1]
    const body = JSON.parse(text)
    this.requests.push({ operation, headers: request.headers, body })
    const found = takeOne(this.#faults, (fault) => ['*', operation].includes(fault.operation))
    const forward = () => this.#forward(request, text)
    await (found?.fault ?? passThrough)({ request, response, forward, body })
  }

  async #forward({ method, url, headers }, text) {
    const { hostname, port } = this.#target
    const forwarded = http.request({ hostname, port, method, path: url, headers, agent: this.#agent })
    forwarded.end(text)
    const [response] = await once(forwarded, 'response')
    return { status: response.statusCode, headers: response.headers, text: await readAll(response) }
  }
}

function takeOne(faults, applies = () => true) {
  const found = faults.find((fault) => fault.times > 0 && applies(fault))
  if (found) found.times -= 1
  return found
}

module.exports = { FaultProxy, ...faults }
