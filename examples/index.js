'use strict'

// Starts an example with its own in-memory DynamoDB:  npm run example -- express
//   PORT      port to listen on (default: 3000); 0 for any free port
//   ENDPOINT  URL of another DynamoDB, with the Region and credentials of the AWS_* variables

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { buildLocalDynamoDB, startLocalDynamoDB } = require('../tools/local-dynamodb')

const root = path.join(__dirname, '..')
const names = fs.readdirSync(__dirname).filter((name) => fs.existsSync(path.join(__dirname, name, 'package.json')))

async function main(name, file) {
  if (!names.includes(name)) throw new Error(`Usage: npm run example -- <name>. Names: ${names.join(', ')}`)
  linkPackage()
  if (!fs.readdirSync(root).some((file) => file.endsWith('.node'))) run('npm', ['run', 'build'], root)
  await chooseDynamoDB()
  const folder = path.join(__dirname, name)
  const { main, scripts } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json')))
  if (scripts.build && !scripts.dev) run('npm', ['run', '--silent', 'build'], folder)
  await import(pathToFileURL(path.join(folder, file ?? main)))
}

/** Makes `require('dynamodb-session')` in the examples resolve to this repository. */
function linkPackage() {
  const link = path.join(__dirname, 'node_modules', 'dynamodb-session')
  fs.mkdirSync(path.dirname(link), { recursive: true })
  try {
    fs.symlinkSync(root, link, 'junction')
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}

/** Sets the variables that both this package and the AWS SDK for JavaScript read. */
async function chooseDynamoDB() {
  const { env } = process
  if (env.ENDPOINT) {
    env.AWS_ENDPOINT_URL_DYNAMODB = env.ENDPOINT
    return
  }
  const { endpoint } = await startLocalDynamoDB().catch(buildAndStart) // stops with this process
  const credentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }
  Object.assign(env, { AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_REGION: 'us-east-1', ...credentials })
  console.log(`An in-memory DynamoDB is listening on ${endpoint}. Press Ctrl-C to stop everything.`)
}

function buildAndStart(error) {
  if (error.cause?.code !== 'ENOENT') throw error
  buildLocalDynamoDB()
  return startLocalDynamoDB()
}

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(`\`${[command, ...args].join(' ')}\` failed. See its output above.`)
}

function start() {
  main(...process.argv.slice(2)).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })

  process.on('uncaughtException', (error) => {
    const isPortInUse = error.code === 'EADDRINUSE'
    console.error(
      isPortInUse ? `Port ${error.port} is in use. Set PORT to another port, or to 0 for any free port.` : error
    )
    process.exit(1)
  })
}

if (require.main === module) start()

module.exports = { linkPackage }
