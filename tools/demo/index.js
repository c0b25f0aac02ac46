'use strict'

// Runs the demo: builds what it needs, starts a local DynamoDB and an Express app, and prints the URL to open.
//   PORT            the port; default 3000, and 0 selects a free port
//   ENDPOINT        the URL of another local DynamoDB; set AWS_REGION and credentials if it needs them
//   SESSION_SECRET  signs the cookies; with ENDPOINT and this secret, sessions survive a restart of the demo

const { spawn, spawnSync } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')

const HOST = '127.0.0.1'
const TABLE = 'session-demo'
const { PORT, ENDPOINT, SESSION_SECRET, AWS_REGION, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env

const endings = new Set() // functions that stop what was started, in the order of starting
let stopping = false

async function main() {
  if (spawnSync('cargo', ['--version']).status !== 0)
    throw new Error('The demo needs Rust. Install it from https://rustup.rs.')
  if (ENDPOINT && !ENDPOINT.startsWith('http:'))
    throw new Error('ENDPOINT must be a URL such as http://127.0.0.1:8000.')
  const server = http.createServer(respondWhileStarting)
  const url = await listen(server)

  print('1/4  Building the addon. The first build takes several minutes.')
  await npmRun('build')
  if (ENDPOINT) print(`2/4  Using the DynamoDB at ${ENDPOINT} (from the ENDPOINT variable).`)
  const endpoint = ENDPOINT || (await startLocalServer())
  // Only the demo uses the SDK, so its advice about the Node.js version would be misleading.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
  const stores = await require('./stores').openStores({ connection: connectionTo(endpoint), table: TABLE })
  endings.add(() => stores.close())
  print(`3/4  Creating the table "${TABLE}" with time to live.`)
  await stores.store.createTable()
  if (ENDPOINT) endings.add(() => print(`The table "${TABLE}" remains at ${ENDPOINT}.`))

  const { createApp } = require('./app')
  const app = createApp({ ...stores, secret: SESSION_SECRET || randomBytes(32).toString('hex') })
  server.removeAllListeners('request').on('request', app)
  await measureBill(url)
  print(`4/4  Ready. Open ${url} in a browser. Press Ctrl-C to stop.`)
}

/** Binds the port before the builds, so that a port in use is reported at once. */
async function listen(server) {
  const port = Number(PORT || 3000)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`PORT must be a whole number from 0 to 65535, not "${PORT}".`)
  }
  try {
    await once(server.listen(port, HOST), 'listening')
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is in use. Choose another port: PORT=${port === 65535 ? 0 : port + 1} npm run demo`)
  }
  endings.add(() => server.close().closeAllConnections())
  return `http://${HOST}:${server.address().port}`
}

function respondWhileStarting(request, response) {
  response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', refresh: '3' })
  response.end('The demo is still starting. The terminal shows the progress. This page reloads automatically.\n')
}

async function startLocalServer() {
  print('2/4  Building the local DynamoDB. The first build takes several minutes.')
  await npmRun('build:local-dynamodb')
  const { endpoint } = await require('../local-dynamodb').startLocalDynamoDB() // ends with this process
  print(`     It listens on ${endpoint} and keeps its items in memory.`)
  return endpoint
}

/** The first visits: the page shows what they cost as soon as it opens. */
async function measureBill(url) {
  const response = await fetch(`${url}/bill`)
  if (!response.ok) throw new Error((await response.json()).error.message)
}

/** A local DynamoDB requires a Region and credentials, and accepts any. */
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

/** Runs a script in its own process group, so that all of its processes can be stopped. */
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
  if (code !== 0) throw new Error(`\`npm run ${script}\` failed. Its output is above.`)
}

function print(line) {
  console.log(`\n${line}`)
}

async function stop(exitCode) {
  if (stopping) return
  stopping = true
  process.exitCode = exitCode
  for (const end of [...endings].reverse()) await end()
  process.exit()
}

/** Stops with npm: on SIGTERM, npm ends the shell between npm and this process, but the shell does not forward the signal. */
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
