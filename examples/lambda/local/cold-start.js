'use strict'

// Measures both handlers:  npm run example -- lambda local/cold-start.js [times]

const os = require('node:os')
const { DynamoDBStore } = require('dynamodb-session')
const { event } = require('./gateway')
const { LocalLambda } = require('./lambda')

const SESSIONS_TABLE = 'sessions'
const WARM = 20
const times = Number(process.argv[4] ?? 15)
const handlers = { 'dynamodb-session': 'handler.handler', 'connect-dynamodb': 'connect-dynamodb.handler' }
const json = { headers: { 'content-type': 'application/json' }, body: '{"user":"ann"}' }

async function main() {
  await new DynamoDBStore({ table: SESSIONS_TABLE }).createTable()
  const samples = { 'dynamodb-session': [], 'connect-dynamodb': [] }
  for (let i = 0; i < times; i++) {
    // In turns, so that what else the machine does meets both.
    for (const [name, handler] of Object.entries(handlers)) samples[name].push(await measure(handler))
  }
  console.log(`Medians of ${times} cold starts; ${os.cpus().length} CPUs ${os.cpus()[0].model}, Node.js ${process.version}\n`)
  const [ours, theirs] = Object.values(samples).map(medians)
  console.log(`| milliseconds | ${Object.keys(handlers).join(' | ')} | ratio |\n| --- | --: | --: | --: |`)
  for (const row of Object.keys(ours)) {
    console.log(`| ${row} | ${ours[row].toFixed(1)} | ${theirs[row].toFixed(1)} | ${(theirs[row] / ours[row]).toFixed(1)} |`)
  }
  process.exit()
}

async function measure(handler) {
  const lambda = await LocalLambda.start(handler, { SESSIONS_TABLE, SESSION_SECRET: 'only for a try' })
  const { ms: first, answer } = await timed(() => lambda.invoke(event('POST', '/login', json)))
  const cookies = answer.cookies.map((cookie) => cookie.split(';')[0])
  const warm = []
  for (let i = 0; i < WARM; i++) {
    const { ms, answer } = await timed(() => lambda.invoke(event('GET', '/', { cookies })))
    if (answer.statusCode !== 200) throw new Error(`${handler}: ${answer.body}`)
    warm.push(ms)
  }
  const init = lambda.initMs
  await lambda.stop()
  return { init, 'first request': first, 'cold start, the two together': init + first, 'warm request': median(warm) }
}

async function timed(run) {
  const start = performance.now()
  const answer = await run()
  return { ms: performance.now() - start, answer }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

function medians(samples) {
  return Object.fromEntries(Object.keys(samples[0]).map((row) => [row, median(samples.map((sample) => sample[row]))]))
}

main()
