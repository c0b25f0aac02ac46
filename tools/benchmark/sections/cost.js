'use strict'

const { once } = require('node:events')
const http = require('node:http')
const { Browser } = require('../../../__test__/support/browser')
const { contenders } = require('../contenders')
const { Child } = require('../support/children')

const SIZE = 2048
const VIEWS = 20
const CHANGES = 10
const BETWEEN_VIEWS = 60_000

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

const VARIANTS = [
  { name: 'dynamodb-session' },
  { name: 'dynamodb-session', options: { consistentRead: false } },
  { name: 'dynamodb-session', options: { consistentRead: 'on-miss' } },
  { name: 'dynamodb-session', options: { compression: true } },
  { name: 'encrypted' },
  { name: 'encrypted-compressed' },
  { name: 'connect-dynamodb' },
  { name: 'connect-dynamodb-compat' },
  { name: 'pwrdrvr' },
  { name: 'pwrdrvr-compat' },
  { name: 'dynamodb-store' },
  { name: 'dynamodb-store-compat' },
  { name: 'koa-session-dynamodb-store' },
  { name: 'koa-session-dynamodb-store-compat' }
]

/**
 * Measures the read and write capacity units of 1,000 page views. Users log in and view 20 pages, one minute apart by the
 * app's clock. Every tenth page changes the session. Each store is set up as its README recommends.
 */
async function measureCost({ plan, environment, embedded, progress }) {
  const meter = await startMeter(embedded.endpoint)
  const results = []
  try {
    for (const [index, { name, options }] of VARIANTS.entries()) {
      if (plan.cost.contenders?.includes(name) === false) continue
      const title = [contenders[name].title, ...Object.entries(options ?? {}).map((entry) => entry.join(': '))].join(
        ', '
      )
      progress(`cost: ${title}`)
      const table = `cost-${index}`
      await embedded.createTable(table, contenders[name].layout)
      const charged = await browse({ name, users: plan.cost.users, environment, meter, table, options })
      results.push({ name, title, ...charged })
    }
    return results
  } finally {
    meter.close()
  }
}

async function browse({ name, users, environment, meter, table, options }) {
  const [framework] = contenders[name].frameworks
  const app = new Child('app.js', { env: environment.variables(), args: [framework, name, 'clock'] })
  try {
    const url = await app.ask({ ask: 'open', size: SIZE, endpoint: meter.endpoint, table, ...options })
    meter.take()
    const browsers = Array.from({ length: users }, () => new Browser(url))
    await visit(browsers, '/login')
    for (let view = 1; view <= VIEWS; view++) {
      await app.ask({ ask: 'later', milliseconds: BETWEEN_VIEWS })
      await visit(browsers, view % CHANGES === 0 ? '/write' : '/read')
    }
    const { reads, writes, requests } = meter.take()
    const thousands = (users * (VIEWS + 1)) / 1000
    return { reads: reads / thousands, writes: writes / thousands, requests: requests / thousands }
  } finally {
    await app.end()
  }
}

async function visit(browsers, path) {
  await Promise.all(
    browsers.map(async (browser) => {
      const { status } = await browser.get(path)
      if (status !== 200) throw new Error(`${path} returned status ${status}`)
    })
  )
}

/** A proxy in front of DynamoDB that requests the consumed capacity of each request and sums it up. */
async function startMeter(endpoint) {
  const agent = new http.Agent({ keepAlive: true })
  const total = { reads: 0, writes: 0, requests: 0 }

  const server = http.createServer(async (request, response) => {
    const operation = request.headers['x-amz-target'].split('.').at(-1)
    const body = JSON.stringify({ ...JSON.parse(await textOf(request)), ReturnConsumedCapacity: 'TOTAL' })
    const headers = { ...request.headers, host: new URL(endpoint).host, 'content-length': Buffer.byteLength(body) }
    const onward = http.request(endpoint, { method: 'POST', agent, headers })
    onward.end(body)
    const [received] = await once(onward, 'response')
    const text = await textOf(received)
    const units = JSON.parse(text).ConsumedCapacity?.CapacityUnits ?? 0
    total.requests += 1
    total[WRITES.includes(operation) ? 'writes' : 'reads'] += units
    response.writeHead(received.statusCode, received.headers).end(text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    /** The capacity consumed since the last call. */
    take() {
      const taken = { ...total }
      for (const name in total) total[name] = 0
      return taken
    },
    close() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    }
  }
}

async function textOf(stream) {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk
  return text
}

module.exports = { measureCost }
