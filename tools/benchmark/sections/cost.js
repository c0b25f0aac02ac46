'use strict'

const { Browser } = require('../../../__test__/support/browser')
const { contenders } = require('../contenders')
const { Child } = require('../support/children')
const { startMeter } = require('../support/meter')

const SIZE = 2048
const VIEWS = 20
const CHANGES = 10
const BETWEEN_VIEWS = 60_000

const VARIANTS = [
  { name: 'dynamodb-session' },
  { name: 'dynamodb-session', options: { consistentRead: false } },
  { name: 'dynamodb-session', options: { consistentRead: 'on-miss' } },
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

module.exports = { measureCost }
