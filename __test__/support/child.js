'use strict'

const { spawn } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const TIME_LIMIT = 20_000

/** The environment of this process without variables that affect a store or Node.js. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_|.*_proxy$)/i.test(name)))
}

/** Variables that hide the AWS settings of this machine from a test. */
const hiddenSettings = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent', PATH: process.env.PATH }

/** Runs `work` while `process.env` is replaced by an object with these variables. */
async function withEnvironment(variables, work) {
  const real = process.env
  process.env = { ...hiddenSettings, ...variables }
  for (const [name, value] of Object.entries(variables)) if (value === undefined) delete process.env[name]
  try {
    return await work()
  } finally {
    process.env = real
  }
}

const prelude = `
  const { DynamoDBStore, DynamoDBStoreError } = require(process.env.DYNAMODB_SESSION);
  const options = JSON.parse(process.env.OPTIONS);
`

/** Runs Node.js with these arguments. */
function runNode(args, settings) {
  return run(process.execPath, args, settings)
}

/** Runs a program. Returns its exit code, signal, output, and the milliseconds from its first output to its exit. */
function run(program, args, { env, cwd = root, timeLimit = TIME_LIMIT } = {}) {
  const { TEST_PRELOAD } = process.env
  const preload = TEST_PRELOAD && { NODE_OPTIONS: `--require ${JSON.stringify(TEST_PRELOAD)}` }
  const fixed = { AWS_EC2_METADATA_DISABLED: 'true', DYNAMODB_SESSION: root, ...preload }
  const child = spawn(program, args, { cwd, env: { ...cleanEnvironment(), ...fixed, ...env } })
  const result = { stdout: '', stderr: '' }
  let firstOutput
  child.stdout.on('data', (chunk) => {
    firstOutput ??= Date.now()
    result.stdout += chunk
  })
  child.stderr.on('data', (chunk) => (result.stderr += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeLimit)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ ...result, code, signal, sinceFirstOutput: Date.now() - firstOutput })
    })
  })
}

/** Runs a script that can use `DynamoDBStore` and `options`. */
function runScript(script, { options = {}, ...settings } = {}) {
  const env = { OPTIONS: JSON.stringify(options), ...settings.env }
  return runNode(['-e', prelude + script], { ...settings, env })
}

module.exports = { cleanEnvironment, hiddenSettings, root, run, runNode, runScript, withEnvironment }
