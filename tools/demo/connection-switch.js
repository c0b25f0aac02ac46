'use strict'

const { once } = require('node:events')
const net = require('node:net')

/** A TCP proxy between the stores and DynamoDB. While it is off, it closes all connections and refuses new ones. */
class ConnectionSwitch {
  #server
  #sockets = new Set()

  static async start(endpoint) {
    const { hostname, port } = new URL(endpoint)
    const created = new ConnectionSwitch(hostname, port || 80)
    await created.#listen(0)
    created.port = created.#server.address().port
    created.endpoint = `http://127.0.0.1:${created.port}`
    return created
  }

  constructor(host, port) {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      const target = net.connect({ host, port, noDelay: true })
      for (const [one, other] of [
        [socket, target],
        [target, socket]
      ]) {
        this.#sockets.add(one)
        one.on('error', () => {})
        one.on('close', () => this.#sockets.delete(one) && other.destroy())
        one.pipe(other)
      }
    })
  }

  get isOn() {
    return this.#server.listening
  }

  async turn(on) {
    if (on && !this.isOn) await this.#listen(this.port)
    else if (!on && this.isOn) await this.close()
  }

  async close() {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #listen(port) {
    return once(this.#server.listen(port, '127.0.0.1'), 'listening')
  }
}

module.exports = { ConnectionSwitch }
