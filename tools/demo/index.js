'use strict'

// The demo from nothing: builds what it needs, starts a DynamoDB and an Express app, and says what to open.
//   PORT            another port than 3000; 0 for any free one
//   ENDPOINT        another DynamoDB than the embedded one, with AWS_REGION and credentials as that one wants them
//   SESSION_SECRET  signs the cookies; with ENDPOINT and a secret of your own, sessions outlive a restart of the demo

const { spawn, spawnSync } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')

const HOST = '127.0.0.1'
const TABLE = 'dynamodb-session-demo'
const { PORT, ENDPOINT, SESSION_SECRET, AWS_REGION, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env

const endings = new Set() // what ends the things that were started, in the order of their start
let stopping = false

async function main() {
  if (spawnSync('cargo', ['--version']).status !== 0) throw new Error('Rust is needed: https://rustup.rs installs it.')
  if (ENDPOINT && !/^https?:/.test(ENDPOINT)) throw new Error('ENDPOINT must be a URL like http://127.0.0.1:8000.')
  const server = http.createServer(sayThatItStarts)
  const url = await listen(server)

  say('1/4  Building the addon (release): some minutes the first time, moments afterwards.')
  await npmRun('build')
  if (ENDPOINT) say(`2/4  No embedded DynamoDB: ENDPOINT says ${ENDPOINT}.`)
  const endpoint = ENDPOINT || (await startEmbeddedDynamoDB())
  const { store, client } = openStore(connectionTo(endpoint))
  say(`3/4  Creating the table "${TABLE}" with its time to live: moments here, up to a minute on AWS.`)
  await store.createTable()
  if (ENDPOINT) endings.add(() => say(`The table "${TABLE}" stays at ${ENDPOINT}.`))

  const { createApp } = require('./app.js')
  const app = createApp({ store, client, table: TABLE, secret: SESSION_SECRET || randomBytes(32).toString('hex') })
  server.removeAllListeners('request').on('request', app)
  say(`4/4  Ready. Open ${url} in a browser. Ctrl-C ends everything.`)
}

/** The port is taken first, since a builder should not wait for minutes to learn that it is in use. */
async function listen(server) {
  const port = Number(PORT || 3000)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`PORT must be a whole number from 0 to 65535, not "${PORT}".`)
  }
  try {
    await once(server.listen(port, HOST), 'listening')
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is taken. Choose another: PORT=${port === 65535 ? 0 : port + 1} npm run demo`)
  }
  endings.add(() => server.close().closeAllConnections())
  return `http://${HOST}:${server.address().port}`
}

function sayThatItStarts(request, response) {
  response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', refresh: '3' })
  response.end('The demo is still starting; the terminal shows how far it is. This page reloads by itself.\n')
}

async function startEmbeddedDynamoDB() {
  say('2/4  Building the embedded DynamoDB: some minutes the first time, moments afterwards.')
  await npmRun('build:local-dynamodb')
  const { endpoint } = await require('../local-dynamodb').startLocalDynamoDB() // ends with this process
  say(`     It listens on ${endpoint} and keeps its items in memory.`)
  return endpoint
}

function openStore(connection) {
  // The SDK only reads the item for the page: its advice about the version of Node would mislead here.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
  const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
  const { DynamoDBStore } = require('../..')
  const { lifetimeOf } = require('./app.js')
  const store = new DynamoDBStore({ table: TABLE, ttl: lifetimeOf, ...connection })
  endings.add(() => store.close())
  return { store, client: new DynamoDBClient({ ...connection, maxAttempts: 1 }) }
}

/** A local DynamoDB wants some region and some credentials, but takes any. */
function connectionTo(endpoint) {
  const { hostname } = new URL(endpoint)
  const local = !hostname.includes('.') || /^127\.|\.(localhost|local|internal)$/.test(hostname)
  const region = AWS_REGION || AWS_DEFAULT_REGION || (local && 'us-east-1')
  const dummy = local && !AWS_ACCESS_KEY_ID && !AWS_PROFILE
  return {
    endpoint,
    ...(region && { region }),
    ...(dummy && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
  }
}

/** Runs a script in a process group of its own, so that all of it can be ended. */
async function npmRun(script) {
  const windows = process.platform === 'win32'
  const child = spawn('npm', ['run', script], {
    cwd: path.join(__dirname, '..', '..'),
    detached: !windows,
    shell: windows,
    stdio: ['ignore', 'inherit', 'inherit']
  })
  const exit = once(child, 'exit')
  const end = () => (windows ? child.kill() : process.kill(-child.pid, 'SIGTERM')) && exit
  endings.add(end)
  const [code] = await exit.finally(() => endings.delete(end))
  if (code !== 0) throw new Error(`\`npm run ${script}\` failed; its output above says why.`)
}

function say(line) {
  console.log(`\n${line}`)
}

async function stop(exitCode) {
  if (stopping) return
  stopping = true
  process.exitCode = exitCode
  for (const end of [...endings].reverse()) await end()
  process.exit()
}

/** A SIGTERM for npm ends the shell between npm and this process, which does not pass it on. */
function stopWithShell() {
  const shell = process.ppid
  setInterval(() => process.ppid === shell || stop(0), 500).unref()
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(0))
if (process.env.npm_lifecycle_event) stopWithShell()
main().catch((error) => {
  if (!stopping) console.error(`\n${error.message}${error.code ? ` (${error.code})` : ''}`)
  stop(1)
})
