'use strict'

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { createAuthority, createSelfSigned, startTlsServer, startTunnel } = require('../support/tls')

const dynamodb = useDynamoDB()
let authority
let server
let tunnel

before(async () => {
  authority = await createAuthority()
  server = await startTlsServer(dynamodb.connection.endpoint, await authority.issue())
  tunnel = await startTunnel(server.endpoint)
})

after(async () => {
  await tunnel.close()
  await server.close()
  authority.remove()
})

/** Reads a session that does not exist, and prints the result. */
const readOne = `
  new DynamoDBStore(options).get('a').then(
    (session) => console.log(JSON.stringify({ session })),
    ({ code, message, cause }) => console.log(JSON.stringify({ code, message, cause: cause?.message }))
  )`

async function read(env, endpoint = server.endpoint) {
  const { stdout, stderr } = await runScript(readOne, { options: dynamodb.options({ endpoint, maxAttempts: 1 }), env })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

test('a certificate of an unknown authority is rejected', async () => {
  const { code, cause } = await read({})
  assert.equal(code, 'NetworkError')
  assert.match(cause, /certificate/i)
})

for (const variable of ['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']) {
  test(`an authority in ${variable} is trusted`, async () => {
    assert.deepEqual(await read({ [variable]: authority.file }), { session: null })
  })
}

test('the error about an unreadable certificate file names AWS_CA_BUNDLE', async () => {
  const { code, message } = await read({ AWS_CA_BUNDLE: `${authority.file}.none` })
  assert.equal(code, 'ConfigError')
  assert.match(message, /AWS_CA_BUNDLE/)
})

test('an expired certificate and one for another host are rejected', async () => {
  const day = 86_400_000
  const expired = { notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }
  for (const certificate of [await authority.issue({ host: 'elsewhere.test' }), await authority.issue(expired)]) {
    const other = await startTlsServer(dynamodb.connection.endpoint, certificate)
    const { code, cause } = await read({ AWS_CA_BUNDLE: authority.file }, other.endpoint)
    await other.close()
    assert.equal(code, 'NetworkError')
    assert.match(cause, /certificate/i)
  }
})

test('a configured self-signed certificate is trusted within its validity and for its host', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
  const file = path.join(folder, 'certificate.pem')
  const day = 86_400_000
  const readFrom = async (options, variable) => {
    const certificate = await createSelfSigned(options)
    writeFileSync(file, certificate.cert)
    const other = await startTlsServer(dynamodb.connection.endpoint, certificate)
    const result = await read(variable ? { [variable]: file } : {}, other.endpoint)
    await other.close()
    return result
  }
  for (const variable of ['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']) {
    assert.deepEqual(await readFrom({}, variable), { session: null })
    const expired = { notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }
    assert.match((await readFrom(expired, variable)).cause, /expired/i)
    assert.match((await readFrom({ host: 'elsewhere.test' }, variable)).cause, /not valid for name/i)
  }
  assert.equal((await readFrom({})).code, 'NetworkError')
  rmSync(folder, { recursive: true })
})

test('an unreadable NODE_EXTRA_CA_CERTS file is ignored with one warning, as in Node.js', async () => {
  const { stdout, stderr } = await runScript(
    `
      const warnings = []
      process.on('warning', ({ type, code, message }) => code && warnings.push({ code, message }))
      const stores = [1, 2].map(() => new DynamoDBStore(options))
      ;(async () => {
        for (const store of stores) await store.get('a')
        await stores[0].close()
        await stores[0].describeTable().catch(() => {})
        setImmediate(() => console.log(JSON.stringify(warnings)))
      })()`,
    {
      options: dynamodb.options({ endpoint: server.endpoint }),
      env: { AWS_CA_BUNDLE: authority.file, NODE_EXTRA_CA_CERTS: `${authority.file}.none` }
    }
  )
  const warnings = JSON.parse(stdout)
  assert.equal(warnings.length, 1, stderr)
  assert.equal(warnings[0].code, 'DYNAMODB_SESSION_CONFIG')
  assert.match(warnings[0].message, /NODE_EXTRA_CA_CERTS/)
})

for (const variable of ['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']) {
  for (const [name, text] of [
    ['is missing', undefined],
    ['is empty', ''],
    ['has no certificate', 'none']
  ]) {
    test(`${variable}: a certificate file that ${name} is read again by the next operation`, async () => {
      const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-')), 'ca.pem')
      if (text !== undefined) writeFileSync(file, text)
      process.env[variable] = file
      try {
        const store = dynamodb.store({ endpoint: server.endpoint, maxAttempts: 1 })
        const outcome = () => store.get('a').then(String, ({ code }) => code)
        assert.match(await outcome(), /ConfigError|NetworkError/)
        writeFileSync(file, readFileSync(authority.file))
        assert.equal(await outcome(), 'null')
      } finally {
        delete process.env[variable]
        rmSync(path.dirname(file), { recursive: true })
      }
    })
  }
}

test('stores with different certificate files do not share certificates', async () => {
  const other = await createAuthority()
  const elsewhere = await startTlsServer(dynamodb.connection.endpoint, await other.issue())
  try {
    const outcomes = []
    for (const [file, endpoint] of [
      [authority.file, server.endpoint],
      [other.file, server.endpoint],
      [other.file, elsewhere.endpoint],
      [authority.file, elsewhere.endpoint]
    ]) {
      process.env.AWS_CA_BUNDLE = file
      outcomes.push(
        await dynamodb
          .store({ endpoint, maxAttempts: 1 })
          .get('a')
          .then(String, ({ code }) => code)
      )
    }
    assert.deepEqual(outcomes, ['null', 'NetworkError', 'null', 'NetworkError'])
  } finally {
    delete process.env.AWS_CA_BUNDLE
    await elsewhere.close()
    other.remove()
  }
})

test('HTTPS_PROXY is used, with its credentials', async () => {
  const env = { AWS_CA_BUNDLE: authority.file, HTTPS_PROXY: `http://user:pass@${tunnel.url}` }
  const before = tunnel.tunnels.length
  assert.deepEqual(await read(env, 'https://localhost:1'), { session: null })
  assert.deepEqual(tunnel.tunnels.slice(before), [
    { host: 'localhost:1', authorization: `Basic ${Buffer.from('user:pass').toString('base64')}` }
  ])
})

for (const scheme of ['https', 'socks5', 'socks5h', 'socks4']) {
  for (const variable of ['HTTPS_PROXY', 'all_proxy']) {
    test(`${variable} with a ${scheme} URL makes all operations fail with a ConfigError, and nothing is sent`, async () => {
      const env = { AWS_CA_BUNDLE: authority.file, [variable]: `${scheme}://user:secret@${tunnel.url}` }
      const before = tunnel.connections()
      const { stdout, stderr } = await runScript(
        `
          const store = new DynamoDBStore(options)
          const show = (error) => ({ code: error.code, text: require('util').inspect(error), attempts: error.$metadata?.attempts })
          Promise.all([store.get('a').catch(show), store.describeTable().catch(show), store.length().catch(show)])
            .then((errors) => console.log(JSON.stringify(errors)))`,
        { options: dynamodb.options({ endpoint: server.endpoint }), env }
      )
      const errors = JSON.parse(stdout)
      for (const { code, text } of errors) {
        assert.equal(code, 'ConfigError', text)
        assert.match(text, new RegExp(variable))
        assert.doesNotMatch(text + stderr, /secret/)
      }
      assert.equal(tunnel.connections(), before)
    })
  }
}

for (const exception of ['*', 'other.test,*', '127.0.0.0/8', '127.0.0.1:PORT', ' 127.0.0.1 ']) {
  test(`NO_PROXY=${exception} matches an IP endpoint`, async () => {
    const NO_PROXY = exception.replace('PORT', new URL(server.endpoint).port)
    const env = { AWS_CA_BUNDLE: authority.file, HTTPS_PROXY: `http://${tunnel.url}`, NO_PROXY }
    const before = tunnel.tunnels.length
    assert.deepEqual(await read(env), { session: null })
    assert.equal(tunnel.tunnels.length, before)
  })
}

test('NO_PROXY with a different port does not match', async () => {
  const env = { AWS_CA_BUNDLE: authority.file, https_proxy: `http://${tunnel.url}`, no_proxy: '127.0.0.1:1' }
  const before = tunnel.tunnels.length
  assert.deepEqual(await read(env), { session: null })
  assert.equal(tunnel.tunnels.length, before + 1)
})

test('a host in NO_PROXY bypasses the proxy', async () => {
  const env = { AWS_CA_BUNDLE: authority.file, HTTPS_PROXY: `http://${tunnel.url}`, NO_PROXY: '127.0.0.1' }
  const before = tunnel.tunnels.length
  assert.deepEqual(await read(env), { session: null })
  assert.equal(tunnel.tunnels.length, before)
})

test('an http endpoint bypasses the proxy', async () => {
  const env = { HTTPS_PROXY: `http://${tunnel.url}`, HTTP_PROXY: `http://${tunnel.url}` }
  const before = tunnel.tunnels.length
  assert.deepEqual(await read(env, dynamodb.connection.endpoint), { session: null })
  assert.equal(tunnel.tunnels.length, before)
})
