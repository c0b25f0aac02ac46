'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { linkPackage } = require('../../examples')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { eventually } = require('../support/calls')

const skip = process.platform === 'linux' ? needs('proxy').skip : 'needs /proc to see whether a process is frozen'
const json = { 'content-type': 'application/json' }

const dynamodb = useDynamoDB()

describe('the Lambda example', { skip }, () => {
  const { event } = require('../../examples/lambda/local/gateway')
  const { LocalLambda } = require('../../examples/lambda/local/lambda')

  /** Starts an execution environment that connects to DynamoDB through a proxy. */
  async function start(t, handler, variables) {
    linkPackage()
    const proxy = await dynamodb.proxy()
    const { region, credentials } = dynamodb.connection
    const lambda = await LocalLambda.start(handler, {
      SESSIONS_TABLE: dynamodb.table,
      SESSION_SECRET: 'a secret of the tests',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...variables
    })
    t.after(() => lambda.stop())
    return { lambda, proxy }
  }

  async function logIn(lambda) {
    const response = await lambda.invoke(event('POST', '/login', { headers: json, body: '{"user":"ann"}' }))
    assert.equal(response.statusCode, 200, response.body)
    return response.cookies.map((cookie) => cookie.split(';')[0])
  }

  async function view(lambda, cookies) {
    const { statusCode, body } = await lambda.invoke(event('GET', '/', { cookies }))
    return { statusCode, ...JSON.parse(body) }
  }

  const frozen = (lambda) => eventually(() => stateOf(lambda.pid) === 'T')
  const inOrder = Array.from({ length: 100 }, (_, i) => ({ statusCode: 200, user: 'ann', views: i + 1 }))

  for (const [name, handler] of [
    ['this package', 'handler.handler'],
    ['connect-dynamodb', 'connect-dynamodb.handler']
  ]) {
    test(`serves 100 invocations with ${name}, frozen in between, and with closed connections in every tenth`, async (t) => {
      const { lambda, proxy } = await start(t, handler)
      assert.ok(lambda.initMs > 0)
      const cookies = await logIn(lambda)
      const responses = []
      for (let i = 0; i < 100; i++) {
        await frozen(lambda)
        if (i % 10 === 0) {
          proxy.closeConnections()
          await eventually(() => proxy.connections === 0)
        }
        responses.push(await view(lambda, cookies))
      }
      assert.deepEqual(responses, inOrder)
      assert.equal(proxy.sent('GetItem').length, 100)
      assert.equal(proxy.sent('PutItem').length, 101)
      assert.ok(proxy.connectionsMade > 10, `${proxy.connectionsMade} connections`)
    })
  }

  test('reuses its connection across invocations', async (t) => {
    const { lambda, proxy } = await start(t, 'handler.handler')
    const cookies = await logIn(lambda)
    for (let i = 0; i < 20; i++) await view(lambda, cookies)
    assert.equal(proxy.connectionsMade, 1)
  })

  test('shares sessions between execution environments until the logout', async (t) => {
    const [one, two] = [await start(t, 'handler.handler'), await start(t, 'handler.handler')]
    const cookies = await logIn(one.lambda)
    assert.equal((await view(two.lambda, cookies)).views, 1)
    await two.lambda.invoke(event('POST', '/logout', { cookies }))
    assert.equal((await view(one.lambda, cookies)).statusCode, 401)
  })

  test('handles the events of REST APIs and load balancers', async (t) => {
    const { lambda } = await start(t, 'handler.handler')
    for (const requestContext of [{ stage: 'prod', identity: { sourceIp: '127.0.0.1' } }, { elb: {} }]) {
      const ask = (httpMethod, path, headers, body) =>
        lambda.invoke({ httpMethod, path, multiValueHeaders: headers, body, isBase64Encoded: false, requestContext })
      const first = await ask('POST', '/login', { 'content-type': ['application/json'] }, '{"user":"ann"}')
      const [cookie] = first.multiValueHeaders['set-cookie']
      const { body } = await ask('GET', '/', { cookie: [cookie.split(';')[0]] })
      assert.deepEqual(JSON.parse(body), { user: 'ann', views: 1 })
    }
  })

  test('sends only operations that its policy allows', async (t) => {
    const template = fs.readFileSync(path.join(root, 'examples', 'lambda', 'template.yaml'), 'utf8')
    const allowed = [...template.matchAll(/dynamodb:(\w+)/g)].map(([, action]) => action)
    assert.deepEqual(allowed.sort(), ['DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'])
    const { lambda, proxy } = await start(t, 'handler.handler')
    const cookies = await logIn(lambda)
    await view(lambda, cookies)
    await lambda.invoke(event('POST', '/logout', { cookies }))
    assert.deepEqual(
      proxy.operations.filter((operation) => !allowed.includes(operation)),
      []
    )
  })

  test('reports why a handler cannot be loaded, and that a function exited', async (t) => {
    await assert.rejects(start(t, 'nothing.handler'), /Cannot find module/)
    const { lambda } = await start(t, 'handler.handler')
    process.kill(lambda.pid, 'SIGKILL')
    await assert.rejects(view(lambda), /the function exited with SIGKILL/)
  })
})

/** The state of a process, as in `ps`; T means stopped. */
function stateOf(pid) {
  return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0]
}
