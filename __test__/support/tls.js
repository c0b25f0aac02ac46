'use strict'

const { once } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const selfsigned = require('selfsigned')

const keys = { keyType: 'ec', algorithm: 'sha256' }
const DNS = 2
const IP = 7

/** Creates a certificate authority and writes its certificate to a file. */
async function createAuthority() {
  const ca = await selfsigned.generate([{ name: 'commonName', value: 'test authority' }], {
    ...keys,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true }
    ]
  })
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
  const file = path.join(folder, 'ca.pem')
  writeFileSync(file, ca.cert)
  return {
    file,
    issue: (options) => issue(ca, options),
    remove: () => rmSync(folder, { recursive: true })
  }
}

/** Creates a self-signed server certificate like `openssl req -x509`, which is its own authority. */
async function createSelfSigned({ host = 'localhost', notBeforeDate, notAfterDate } = {}) {
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: host }], {
    ...keys,
    notBeforeDate,
    notAfterDate,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }, namesOf(host)]
  })
  return { key, cert }
}

function namesOf(...hosts) {
  const addresses = hosts.includes('localhost') ? [{ type: IP, ip: '127.0.0.1' }] : []
  return { name: 'subjectAltName', altNames: [...hosts.map((value) => ({ type: DNS, value })), ...addresses] }
}

async function issue(ca, { host = 'localhost', hosts = [host], notBeforeDate, notAfterDate } = {}) {
  const leaf = await selfsigned.generate([{ name: 'commonName', value: host }], {
    ...keys,
    notBeforeDate,
    notAfterDate,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [{ name: 'basicConstraints', cA: false, critical: true }, namesOf(...hosts)]
  })
  return { key: leaf.private, cert: leaf.cert }
}

/** Forwards HTTPS to an HTTP endpoint, and records the Host header and path of each request. */
async function startTlsServer(endpoint, certificate) {
  const requests = []
  const server = https.createServer(certificate, (request, response) => {
    requests.push({ host: request.headers.host, path: request.url })
    const headers = { ...request.headers, host: new URL(endpoint).host }
    const forwarded = http.request(endpoint, { method: request.method, headers }, (result) => {
      response.writeHead(result.statusCode, result.headers)
      result.pipe(response)
    })
    forwarded.on('error', (error) => response.destroy(error))
    request.pipe(forwarded)
  })
  await listen(server)
  return { endpoint: `https://127.0.0.1:${server.address().port}`, requests, close: () => close(server) }
}

/** A proxy that tunnels each CONNECT to `target`, whatever the requested host, and records each tunnel. */
async function startTunnel(target) {
  const { hostname, port } = new URL(target)
  const tunnels = []
  const sockets = new Set()
  const server = http.createServer((_request, response) => response.writeHead(405).end())
  let connections = 0
  server.on('connection', () => (connections += 1))
  server.on('connect', (request, client) => {
    tunnels.push({ host: request.url, authorization: request.headers['proxy-authorization'] })
    const upstream = net.connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
  })
  await listen(server)
  const end = () => sockets.forEach((socket) => socket.destroy())
  return {
    url: `127.0.0.1:${server.address().port}`,
    tunnels,
    connections: () => connections,
    close: () => (end(), close(server))
  }
}

async function listen(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

async function close(server) {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

module.exports = { createAuthority, createSelfSigned, startTlsServer, startTunnel }
