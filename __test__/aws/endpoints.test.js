'use strict'

const assert = require('node:assert/strict')
const { createHash, createHmac } = require('node:crypto')
const http = require('node:http')
const https = require('node:https')
const { once } = require('node:events')
const { after, before, describe, test } = require('node:test')
const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb')
const { DynamoDBStore } = require('../..')
const { createAuthority, startTunnel } = require('../support/tls')

const keys = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
const requests = []
let server
let port

/** Records a request, and sends a response that is valid for each operation of the tests. */
async function respond(request, response) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { headers, rawHeaders, url } = request
  requests.push({ headers, rawHeaders, path: url, body: Buffer.concat(chunks) })
  response.end(JSON.stringify({ Count: 0, ScannedCount: 0, Table: {} }))
}

/** Starts a server. Resolves to undefined if the process may not listen on the port. */
async function listen(created, port, host = '127.0.0.1') {
  created.listen(port, host)
  try {
    await once(created, 'listening')
    return created
  } catch {
    return undefined
  }
}

function stop(running) {
  running.closeAllConnections()
  running.close()
}

before(async () => {
  server = await listen(http.createServer(respond), 0)
  port = server.address().port
})

after(() => stop(server))

/** Whether the signature matches the headers, path, and body that arrived. */
function isSignatureOf({ headers, path, body }) {
  const [, scope, signedHeaders, signature] = headers.authorization.match(
    /Credential=AKID\/(\S+), ?SignedHeaders=(\S+), ?Signature=(\w+)/
  )
  const hash = (data) => createHash('sha256').update(data).digest('hex')
  const hmac = (key, data) => createHmac('sha256', key).update(data).digest()
  const lines = signedHeaders.split(';').map((name) => `${name}:${headers[name]}\n`)
  const escaped = path.replaceAll('%', '%25')
  const canonical = ['POST', escaped, '', lines.join(''), signedHeaders, hash(body)].join('\n')
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n')
  const key = scope.split('/').reduce(hmac, 'AWS4secret')
  return hmac(key, text).toString('hex') === signature
}

/** The requests that arrive for a get, a scan, and a DescribeTable. */
async function requestsTo(endpoint, options) {
  const store = new DynamoDBStore({ endpoint, region: 'eu-west-1', credentials: keys, maxAttempts: 1, ...options })
  requests.length = 0
  await store.get('a')
  await store.length()
  await store.describeTable()
  await store.close()
  return [...requests]
}

describe('an endpoint URL with', () => {
  const urls = {
    'a user and password': (host) => `http://user:pass%40word@${host}`,
    'a path': (host) => `http://${host}/base`,
    'a path with a trailing slash': (host) => `http://${host}/base/`,
    'a percent-encoded path': (host) => `http://${host}/a%20b`,
    'an uppercase host': (host) => `http://${host.replace('localhost', 'LOCALHOST')}`
  }
  for (const [name, urlFor] of Object.entries(urls)) {
    test(`${name} is sent and signed as the AWS SDK sends and signs it`, async () => {
      const endpoint = urlFor(`localhost:${port}`)
      requests.length = 0
      const client = new DynamoDBClient({ region: 'eu-west-1', endpoint, credentials: keys, maxAttempts: 1 })
      await client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: 'a' } } }))
      client.destroy()
      const [expected] = requests
      const sent = await requestsTo(endpoint)
      assert.ok(sent.length >= 3)
      for (const request of sent) {
        assert.equal(request.path, expected.path)
        assert.equal(request.headers.host, expected.headers.host)
        assert.ok(isSignatureOf(request), `${request.headers['x-amz-target']} has another signature`)
        assert.doesNotMatch(request.rawHeaders.join(), /pass/)
      }
    })
  }

  test('the default HTTP port is sent and signed without the port', async (context) => {
    const host = '127.0.0.80'
    const other = await listen(http.createServer(respond), 80, host)
    if (other === undefined) return context.skip('this process cannot listen on port 80')
    const sent = await requestsTo(`http://${host}:80`)
    stop(other)
    assert.deepEqual([...new Set(sent.map(({ headers }) => headers.host))], [host])
    assert.ok(sent.every(isSignatureOf))
  })

  test('the default HTTPS port is sent and signed without the port', async () => {
    const authority = await createAuthority()
    const other = await listen(https.createServer(await authority.issue(), respond), 0)
    const tunnel = await startTunnel(`https://127.0.0.1:${other.address().port}`)
    process.env.AWS_CA_BUNDLE = authority.file
    process.env.HTTPS_PROXY = `http://${tunnel.url}`
    try {
      const sent = await requestsTo('https://user:password@localhost:443/base')
      assert.deepEqual([...new Set(sent.map(({ headers }) => headers.host))], ['localhost'])
      assert.ok(sent.every(isSignatureOf))
      assert.deepEqual([...new Set(tunnel.tunnels.map(({ host }) => host))], ['localhost:443'])
    } finally {
      delete process.env.AWS_CA_BUNDLE
      delete process.env.HTTPS_PROXY
      await tunnel.close()
      stop(other)
      authority.remove()
    }
  })
})
