'use strict'

const { once } = require('node:events')
const http = require('node:http')
const https = require('node:https')
const { errorResponse, readAll } = require('../support/fault-proxy')

/** The operations that the tests need. None of them can reach a table that it does not name. */
const itemOperations =
  /^(Get|Put|Update|Delete)Item$|^(Query|Scan)$|^(BatchGet|BatchWrite|TransactGet|TransactWrite)Items?$/
const tableOperations = /^(Create|Describe|Delete)Table$|^(Describe|Update)TimeToLive$|^ListTagsOfResource$/

/**
 * The only way from the tests of a run to DynamoDB. It counts the requests, refuses all beyond the limit and all for tables
 * other than the run's own, makes each new table on-demand and tags it, and signs with the caller's credentials. So the tests
 * may use keys of their own.
 */
class Gateway {
  /** What the run has used so far; units as on-demand tables count them, or a little more. */
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
      const answered = this.#answer(request, response)
        .catch((error) => response.destroy(error))
        .finally(() => this.#pending.delete(answered))
      this.#pending.add(answered)
    })
  }

  /** Refuses new requests and waits for those under way, which may still create a table. */
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

  async #answer(request, response) {
    const text = await readAll(request)
    const operation = request.headers['x-amz-target']?.split('.')[1]
    if (!operation) return response.end('healthy')
    const body = JSON.parse(text)
    const refusal = this.#refusalOf(operation, body)
    if (refusal) return errorResponse(...refusal)({ response })
    const answer = await this.#send(request.headers, operation === 'CreateTable' ? this.#cheapAndTagged(body) : text)
    this.#count(operation, text.length, answer)
    response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.bytes.length }).end(answer.bytes)
  }

  #refusalOf(operation, body) {
    const denied = (why) => [400, 'AccessDeniedException', `the tests may not do this: ${why}`]
    if (!itemOperations.test(operation) && !tableOperations.test(operation)) return denied(operation)
    const strangers = tablesOf(body).filter((name) => !name.startsWith(this.run.tablePrefix))
    if (strangers.length > 0) return denied(`${strangers} is no table of this run`)
    if (this.#closed) return denied('the run is over')
    if (this.used.requests >= this.limit) {
      this.onLimit()
      return denied(`the limit of ${this.limit} requests is reached`)
    }
    this.used.requests += 1
  }

  #cheapAndTagged({ Tags = [], ...body }) {
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

/** The names of the tables in a request; one without a table names the empty string. */
function tablesOf({ TableName, ResourceArn, RequestItems = {}, TransactItems = [] }) {
  const ofItems = TransactItems.flatMap((item) => Object.values(item)).map((action) => action.TableName)
  const named = [TableName, ResourceArn, ...Object.keys(RequestItems), ...ofItems].filter(Boolean)
  const plain = named.map((name) => /:table\/([^/]+)/.exec(name)?.[1] ?? name)
  return plain.length > 0 ? plain : ['']
}

module.exports = { Gateway }
