'use strict'

// The minimum that a session store in JavaScript must do, on the fastest HTTP client for Node.js.

const { createHash, createHmac } = require('node:crypto')

const CONNECTIONS = 50
const SERVICE = 'dynamodb'
const SIGNED_HEADERS = 'content-type;host;x-amz-date;x-amz-target'
const CONTENT_TYPE = 'application/x-amz-json-1.0'

const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

class Signer {
  #day
  #key

  constructor({ region, host, accessKeyId, secretAccessKey }) {
    Object.assign(this, { region, host, accessKeyId, secretAccessKey })
  }

  headers(target, body) {
    const date = new Date().toISOString().replace(/-|:|\.\d+/g, '')
    const scope = `${date.slice(0, 8)}/${this.region}/${SERVICE}/aws4_request`
    const canonical =
      `POST\n/\n\ncontent-type:${CONTENT_TYPE}\nhost:${this.host}\nx-amz-date:${date}\n` +
      `x-amz-target:${target}\n\n${SIGNED_HEADERS}\n${sha256(body)}`
    const signature = createHmac('sha256', this.#keyOf(date.slice(0, 8)))
      .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`)
      .digest('hex')
    return {
      'content-type': CONTENT_TYPE,
      'x-amz-date': date,
      'x-amz-target': target,
      authorization:
        `AWS4-HMAC-SHA256 Credential=${this.accessKeyId}/${scope}, ` +
        `SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`
    }
  }

  #keyOf(day) {
    if (day !== this.#day) {
      this.#day = day
      const parts = [day, this.region, SERVICE, 'aws4_request']
      this.#key = parts.reduce(hmac, `AWS4${this.secretAccessKey}`)
    }
    return this.#key
  }
}

class LeanStore extends require('node:events') {
  constructor({ endpoint, table }) {
    super()
    const { Pool } = require('undici')
    const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env
    this.table = table
    this.pool = new Pool(endpoint, { connections: CONNECTIONS, keepAliveTimeout: 60_000 })
    this.signer = new Signer({ region, host: new URL(endpoint).host, accessKeyId, secretAccessKey })
  }

  async #send(operation, members) {
    const body = JSON.stringify({ TableName: this.table, ...members })
    const headers = this.signer.headers(`DynamoDB_20120810.${operation}`, body)
    const response = await this.pool.request({ method: 'POST', path: '/', headers, body })
    const text = await response.body.text()
    if (response.statusCode !== 200) throw new Error(text)
    return JSON.parse(text)
  }

  async #get(sid) {
    const { Item } = await this.#send('GetItem', { Key: keyOf(sid), ConsistentRead: true })
    return Item === undefined || Item.expires.N <= Date.now() / 1000 ? null : JSON.parse(Item.sess.S)
  }

  get(sid, callback) {
    this.#get(sid).then((session) => callback(null, session), callback)
  }

  set(sid, session, callback) {
    const sess = { S: JSON.stringify(session) }
    const type = { S: 'connect-session' }
    this.#send('PutItem', { Item: { ...keyOf(sid), expires: expiryOf(session), type, sess } }).then(
      () => callback(null),
      callback
    )
  }

  touch(sid, session, callback) {
    this.#send('UpdateItem', {
      Key: keyOf(sid),
      UpdateExpression: 'SET expires = :e',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':e': expiryOf(session) }
    }).then(() => callback(null), callback)
  }

  destroy(sid, callback) {
    this.#send('DeleteItem', { Key: keyOf(sid) }).then(() => callback(null), callback)
  }
}

function keyOf(sid) {
  return { id: { S: `sess:${sid}` } }
}

function expiryOf(session) {
  return { N: String(Math.floor((Date.now() + (session.cookie.maxAge ?? session.cookie.originalMaxAge)) / 1000)) }
}

function open({ everyTouch, ...settings }) {
  const { Store } = require('express-session')
  Object.setPrototypeOf(LeanStore.prototype, Store.prototype)
  const store = new LeanStore(settings)
  // In an app it sends no touches, like the stores that throttle them.
  if (!everyTouch) store.touch = undefined
  return store
}

module.exports = { title: 'lean JavaScript (undici)', layout: 'text', frameworks: ['express'], open }
