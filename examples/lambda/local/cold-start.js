'use strict'

// Compares cold starts with different stores:  npm run example -- lambda local/cold-start.js [times]

const os = require('node:os')
const { DynamoDBStore } = require('dynamodb-session')
const { LocalLambda, event } = require('./lambda')

const WARM = 20
const times = Number(process.argv[4] ?? 15)
const variables = {
  SESSIONS_TABLE: 'sessions',
  SESSION_SECRET: 'for development only',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true'
}
const contenders = [
  { name: 'dynamodb-session', handler: 'handler.handler', samples: [] },
  { name: 'connect-dynamodb', handler: 'local/baselines.connectDynamodb', samples: [] },
  { name: 'memory', handler: 'local/baselines.memory', samples: [] }
]
const login = { headers: { 'content-type': 'application/json' }, body: '{"user":"ann"}' }

async function main() {
  await new DynamoDBStore({ table: variables.SESSIONS_TABLE }).createTable()
  for (let i = 0; i < times; i++) {
    // Alternate between the contenders, so that other load on the machine affects all of them.
    for (const { handler, samples } of contenders) samples.push(await measure(handler))
  }
  const [{ model }] = os.cpus()
  console.log(`Medians of ${times}, on ${os.cpus().length} CPUs ${model}, Node.js ${process.version}\n`)
  console.log(row('milliseconds', (contender) => contender.name))
  console.log(row('---', () => '--:'))
  for (const figure of Object.keys(contenders[0].samples[0])) {
    console.log(row(figure, ({ samples }) => median(samples.map((sample) => sample[figure])).toFixed(1)))
  }
  process.exit()
}

/** Measures a new execution environment: a first request that logs in, then warm requests that read and write the session. */
async function measure(handler) {
  const lambda = await LocalLambda.start(handler, variables)
  const [first, response] = await timed(() => lambda.invoke(event('POST', '/login', login)))
  const cookies = response.cookies.map((cookie) => cookie.split(';')[0])
  const warm = []
  for (let i = 0; i < WARM; i++) {
    const [ms, response] = await timed(() => lambda.invoke(event('GET', '/', { cookies })))
    if (response.statusCode !== 200) throw new Error(`${handler}: ${response.body}`)
    warm.push(ms)
  }
  await lambda.stop()
  const { initMs } = lambda
  return { init: initMs, 'first request': first, 'cold start: both': initMs + first, 'warm request': median(warm) }
}

async function timed(run) {
  const start = performance.now()
  const result = await run()
  return [performance.now() - start, result]
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const row = (title, cell) => `| ${[title, ...contenders.map(cell)].join(' | ')} |`

main()
