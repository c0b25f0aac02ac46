'use strict'

/**
 * What a FaultProxy does instead of passing a request on and its answer back. The faults of requests are given
 * `{ request, response, forward, body }`, those of connections the socket.
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

/** Answers with an error of DynamoDB. */
function errorResponse(status, name, message = 'made by the test', headers) {
  const text = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message })
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Answers with this text as it is. */
function textResponse(status, text, headers) {
  return ({ response }) => send(response, { status, headers: { ...jsonHeaders, ...headers }, text })
}

/** Passes the request on, and changes the answer. */
function changedResponse(change) {
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
function noResponse() {}

/** Closes the connection instead of answering. */
function hangUp({ response }) {
  response.socket.destroy()
}

/** Passes the request on, and treats its answer as `fault` does: the work is done, and nobody knows. */
function loseResponse(fault) {
  return async (exchange) => {
    const answer = await exchange.forward()
    return fault({ ...exchange, forward: async () => answer })
  }
}

/** Closes the connection in the middle of the answer's head. */
function partialHead({ response: { socket } }) {
  socket.write('HTTP/1.1 200 OK\r\ncontent-ty', () => socket.destroy())
}

/** Closes the connection in the middle of the answer. */
async function partialBody({ response, forward }) {
  const { status, headers, text } = await forward()
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) + 10 })
  response.write(text, () => response.socket.destroy())
}

/** Sends the head of the answer, and then nothing for ever. */
async function stalledBody({ response, forward }) {
  const { status, headers, text } = await forward()
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) + 10 })
  response.write(text)
}

/** Sends the answer one byte a second. */
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

/** Answers with what is no HTTP. */
function garbage({ response: { socket } }) {
  socket.end(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) % 256)))
}

/** Answers with so many bytes, in chunks of which no header tells how many there will be. */
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

/** Gives the answer a checksum that is not its own. */
const wrongChecksum = changedResponse(({ headers }) => ({ headers: { ...headers, 'x-amz-crc32': '1' } }))

/** Of a connection: it is closed when something comes, which is not read. */
function closeUnread(socket) {
  socket.once('readable', () => socket.destroy())
}

/** Of a connection: it is closed at once. */
function closeAtOnce(socket) {
  socket.destroy()
}

/** Of a connection: it is accepted, and never answered. */
function neverRespond(socket) {
  socket.resume()
}

/** Accepts a connection and reads nothing from it. */
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
