'use strict'

const { once } = require('node:events')
const http = require('node:http')
const https = require('node:https')
const { errorResponse, readAll } = require('../support/fault-proxy')

/** The operations that the tests need. A request for one of them names each table that it uses. */
const itemOperations =
  /^(Get|Put|Update|Delete)Item$|^(Query|Scan)$|^(BatchGet|BatchWrite|TransactGet|TransactWrite)Items?$/
const tableOperations = /^(Create|Describe|Delete)Table$|^(Describe|Update)TimeToLive$|^ListTagsOfResource$/

/**
 * Forwards all requests of a run to DynamoDB. The gateway counts requests, rejects those beyond the limit and those for
 * tables of others, makes each new table on-demand and tags it, and signs with the caller's credentials, so that the tests
 * can use any keys.
 */
class Gateway {
  /** Usage of the run so far. Capacity units are counted like those of on-demand tables, or slightly higher. */
  used = { requests: 0, readUnits: 0, writeUnits: 0, tables: 0 }
  #server
  #agent
  #closed = false
  #pending = new Set()

  static async start(settings) {
    const gateway = new Gateway(settings)
    gateway.#server.listen(0, '127.0.0.1')
    await once(gateway.#server, 'listening')
    gateway.endpoint = `http://127.0.0.1:${gateway.#server.address().port}`
    return gateway
  }

  constructor({ run, client, endpoint, limit, onLimit }) {
    Object.assign(this, { run, client, target: new URL(endpoint), limit, onLimit })
    this.#agent = new this.#protocol.Agent({ keepAlive: true })
    this.#server = http.createServer((request, response) => {
      const handled = this.#handle(request, response)
        .catch((error) => response.destroy(error))
        .finally(() => this.#pending.delete(handled))
      this.#pending.add(handled)
    })
  }

  /** Rejects new requests, and waits for those in progress, which may still create a table. */
  async close() {
    this.#closed = true
    await Promise.all(this.#pending)
    this.#agent.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  get #protocol() {
    return this.target.protocol === 'https:' ? https : http
  }

  async #handle(request, response) {
    const text = await readAll(request)
    const operation = request.headers['x-amz-target']?.split('.')[1]
    if (!operation) return response.end('healthy')
    const body = JSON.parse(text)
    const rejection = this.#rejectionOf(operation, body)
    if (rejection) return errorResponse(...rejection)({ response })
    const forwarded = operation === 'CreateTable' ? this.#onDemandAndTagged(body) : text
    const { status, headers, bytes } = await this.#send(request.headers, forwarded)
    this.#count(operation, text.length, { status, bytes })
    response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes)
  }

  #rejectionOf(operation, body) {
    const denied = (why) => [400, 'AccessDeniedException', `not allowed in a test run: ${why}`]
    if (!itemOperations.test(operation) && !tableOperations.test(operation)) return denied(operation)
    const foreign = tablesOf(body).filter((name) => !name.startsWith(this.run.tablePrefix))
    if (foreign.length > 0) return denied(`${foreign} is not a table of this run`)
    if (this.#closed) return denied('the run is over')
    if (this.used.requests >= this.limit) {
      this.onLimit()
      return denied(`the limit of ${this.limit} requests is reached`)
    }
    this.used.requests += 1
  }

  #onDemandAndTagged({ Tags = [], ...body }) {
    delete body.ProvisionedThroughput
    return JSON.stringify({ ...body, BillingMode: 'PAY_PER_REQUEST', Tags: [...Tags, this.run.tag] })
  }

  async #send({ 'x-amz-target': target }, text) {
    const { protocol, hostname, port, host, pathname } = this.target
    const signer = await this.client.config.signer()
    const { method, headers } = await signer.sign({
      method: 'POST',
      protocol,
      hostname,
      path: pathname,
      query: {},
      headers: { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
      body: text
    })
    const request = this.#protocol.request({ hostname, port, path: pathname, method, headers, agent: this.#agent })
    request.end(text)
    const [response] = await once(request, 'response')
    const bytes = Buffer.concat(await response.toArray())
    const kept = Object.entries(response.headers).filter(([name]) => /^(content-type|date|x-amzn?-.*)$/.test(name))
    return { status: response.statusCode, headers: Object.fromEntries(kept), bytes }
  }

  #count(operation, sent, { status, bytes }) {
    if (operation === 'CreateTable' && status === 200) this.used.tables += 1
    if (!itemOperations.test(operation)) return
    if (/Put|Update|Delete|Write/.test(operation)) this.used.writeUnits += Math.ceil(sent / 1024)
    else this.used.readUnits += Math.ceil(bytes.length / 4096)
  }
}

/** The table names in a request. A request without a table yields an empty string. */
function tablesOf({ TableName, ResourceArn, RequestItems = {}, TransactItems = [] }) {
  const ofItems = TransactItems.flatMap((item) => Object.values(item)).map((action) => action.TableName)
  const named = [TableName, ResourceArn, ...Object.keys(RequestItems), ...ofItems].filter(Boolean)
  const plain = named.map((name) => /:table\/([^/]+)/.exec(name)?.[1] ?? name)
  return plain.length > 0 ? plain : ['']
}

module.exports = { Gateway }
