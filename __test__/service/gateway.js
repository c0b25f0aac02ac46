'use strict'

const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')
const https = require('node:https')
const { errorAnswer, readAll } = require('../support/fault')

/** The operations that the tests need. None of them can reach a table that it does not name. */
const itemOperations =
  /^(Get|Put|Update|Delete)Item$|^(Query|Scan)$|^(BatchGet|BatchWrite|TransactGet|TransactWrite)Items?$/
const tableOperations = /^(Create|Describe|Delete)Table$|^(Describe|Update)TimeToLive$|^ListTagsOfResource$/

/**
 * The only way from the tests of a run to DynamoDB. It counts the requests, refuses all beyond the limit and all that concern
 * other tables than the run's own, tags the tables, and signs with the caller's credentials, which the tests never see.
 */
class Gateway {
  /** What the run has used so far; units as on-demand tables count them, or a little more. */
  used = { requests: 0, readUnits: 0, writeUnits: 0, tables: 0 }
  #server
  #agent
  #closed = false

  static async start(settings) {
    const gateway = new Gateway(settings)
    gateway.#server.listen(0, '127.0.0.1')
    await once(gateway.#server, 'listening')
    gateway.connection = {
      endpoint: `http://127.0.0.1:${gateway.#server.address().port}`,
      region: settings.run.region,
      credentials: gateway.credentials
    }
    return gateway
  }

  constructor({ run, client, endpoint, limit, onLimit }) {
    Object.assign(this, { run, client, endpoint: new URL(endpoint), limit, onLimit })
    // Another program of this machine must not use the caller's credentials through this port.
    this.credentials = { accessKeyId: `RUN${run.id}`, secretAccessKey: randomBytes(20).toString('hex') }
    this.#agent = new this.#protocol.Agent({ keepAlive: true })
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error))
    })
  }

  /** From now on every request is refused. */
  close() {
    this.#closed = true
    this.#agent.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  get #protocol() {
    return this.endpoint.protocol === 'https:' ? https : http
  }

  async #answer(request, response) {
    const text = await readAll(request)
    const operation = request.headers['x-amz-target']?.split('.')[1]
    const body = JSON.parse(text)
    const refusal = this.#refusalOf(operation, body, request.headers.authorization)
    if (refusal) return errorAnswer(...refusal)({ response })
    const answer = await this.#send(request.headers, operation === 'CreateTable' ? this.#tagged(body) : text)
    this.#count(operation, text.length, answer)
    response.writeHead(answer.status, answer.headers).end(answer.bytes)
  }

  #refusalOf(operation, body, authorization) {
    const denied = (why) => [400, 'AccessDeniedException', `the tests may not do this: ${why}`]
    if (!authorization?.includes(`Credential=${this.credentials.accessKeyId}/`)) {
      return [400, 'UnrecognizedClientException', 'The security token included in the request is invalid.']
    }
    if (!itemOperations.test(operation) && !tableOperations.test(operation)) return denied(operation)
    const strangers = tablesOf(body).filter((name) => !name.startsWith(this.run.tablePrefix))
    if (strangers.length > 0) return denied(`${strangers} is no table of this run`)
    if (operation === 'CreateTable' && body.BillingMode !== 'PAY_PER_REQUEST') {
      return denied('the tables of a run are on-demand')
    }
    if (this.#closed) return denied('the run is over')
    if (this.used.requests >= this.limit) {
      this.onLimit()
      return denied(`the limit of ${this.limit} requests is reached`)
    }
    this.used.requests += 1
  }

  #tagged(body) {
    return JSON.stringify({ ...body, Tags: [...(body.Tags ?? []), this.run.tag] })
  }

  async #send({ 'x-amz-target': target }, text) {
    const { hostname, port, host, pathname } = this.endpoint
    const signer = await this.client.config.signer()
    const { method, headers } = await signer.sign({
      method: 'POST',
      protocol: this.endpoint.protocol,
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
    const kept = Object.entries(response.headers).filter(([name]) => /^(content-type|x-amzn?-.*)$/.test(name))
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
