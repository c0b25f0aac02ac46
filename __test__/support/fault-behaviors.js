'use strict'

/**
 * The faults of a FaultProxy. Request faults replace the forwarding of a request and its response; they receive
 * `{ request, response, forward, body }`. Connection faults (the last four) receive the socket.
 */

const { setTimeout: sleep } = require('node:timers/promises')

const jsonHeaders = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'REQUEST-OF-THE-FAULT' }

async function readAll(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function send(response, { status, headers, text }) {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
}

async function passThrough({ response, forward }) {
  send(response, await forward())
}

/** Responds with an error of DynamoDB. */
function errorResponse(status, name, message = 'injected by the test', headers) {
  const text = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message })
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Responds with this text. */
function textResponse(status, text, headers) {
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Forwards the request and changes the response. */
function changedResponse(change) {
  return async ({ response, forward, body }) => {
    const original = await forward()
    send(response, { ...original, ...change(original, body) })
  }
}

/** Delays the request. */
function delayed(milliseconds) {
  return ({ response, forward }) =>
    setTimeout(async () => {
      const result = await forward()
      if (!response.destroyed) send(response, result)
    }, milliseconds).unref()
}

/** Forwards the request, and holds the response until the promise is settled. */
function heldUntil(promise) {
  return async ({ response, forward }) => {
    const result = await forward()
    await promise
    if (!response.destroyed) send(response, result)
  }
}

/** Sends no response. */
function noResponse() {}

/** Closes the connection instead of sending a response. */
function hangUp({ response }) {
  response.socket.destroy()
}

/** Forwards the request, and loses the response to `fault`: the operation is carried out, but the client cannot know. */
function loseResponse(fault) {
  return async (exchange) => {
    const result = await exchange.forward()
    return fault({ ...exchange, forward: async () => result })
  }
}

/** Closes the connection within the response headers. */
function partialHead({ response: { socket } }) {
  socket.write('HTTP/1.1 200 OK\r\ncontent-ty', () => socket.destroy())
}

/** Closes the connection within the response body. */
async function partialBody({ response, forward }) {
  const { status, headers, text } = await forward()
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) + 10 })
  response.write(text, () => response.socket.destroy())
}

/** Sends a response whose body never ends. */
async function stalledBody({ response, forward }) {
  const { status, headers, text } = await forward()
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) + 10 })
  response.write(text)
}

/** Sends the response at one byte per second. */
async function trickle({ response, forward }) {
  const { status, headers, text } = await forward()
  const { socket } = response
  const head = Object.entries({ ...headers, 'content-length': Buffer.byteLength(text) })
  const bytes = [`HTTP/1.1 ${status} OK`, ...head.map(([name, value]) => `${name}: ${value}`), '', text].join('\r\n')
  for (const byte of bytes) {
    if (socket.destroyed) return
    socket.write(byte)
    await sleep(1000, undefined, { ref: false })
  }
}

/** Responds with bytes that are not HTTP. */
function garbage({ response: { socket } }) {
  socket.end(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) % 256)))
}

/** Responds with this many bytes in chunked encoding, without Content-Length. */
function endlessResponse(bytes) {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  return async ({ response }) => {
    response.writeHead(200, jsonHeaders)
    for (let sent = 0; sent < bytes && !response.destroyed; sent += chunk.length) {
      if (!response.write(chunk)) await Promise.race([sleep(20, undefined, { ref: false }), drained(response)])
    }
    response.end()
  }
}

function drained(response) {
  return new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
}

/** Sends the response with a wrong checksum. */
const wrongChecksum = changedResponse(({ headers }) => ({ headers: { ...headers, 'x-amz-crc32': '1' } }))

/** Closes the connection when data arrives, without reading it. */
function closeUnread(socket) {
  socket.once('readable', () => socket.destroy())
}

/** Closes the connection immediately. */
function closeAtOnce(socket) {
  socket.destroy()
}

/** Accepts the connection, reads from it, and never responds. */
function neverRespond(socket) {
  socket.resume()
}

/** Accepts the connection and reads nothing from it. */
function neverRead(socket) {
  socket.pause()
}

module.exports = {
  changedResponse,
  closeAtOnce,
  closeUnread,
  delayed,
  endlessResponse,
  errorResponse,
  garbage,
  partialBody,
  partialHead,
  hangUp,
  heldUntil,
  loseResponse,
  neverRespond,
  neverRead,
  passThrough,
  readAll,
  noResponse,
  stalledBody,
  textResponse,
  trickle,
  wrongChecksum
}
