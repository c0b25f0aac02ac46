'use strict'

const { spawn } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const TIME_LIMIT = 20_000

/** The variables of this process, without those that change what a store or Node does. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_|.*_proxy$)/i.test(name)))
}

const prelude = `
  const { DynamoDBStore, DynamoDBStoreError } = require(process.env.DYNAMODB_SESSION);
  const options = JSON.parse(process.env.OPTIONS);
`

/** Runs a program of Node. */
function runNode(args, settings) {
  return run(process.execPath, args, settings)
}

/** Runs a program; gives its exit code, signal, output and the milliseconds from its first line to its end. */
function run(program, args, { env, cwd = root, timeLimit = TIME_LIMIT } = {}) {
  const { TEST_PRELOAD } = process.env
  const preload = TEST_PRELOAD && { NODE_OPTIONS: `--require ${JSON.stringify(TEST_PRELOAD)}` }
  const own = { AWS_EC2_METADATA_DISABLED: 'true', DYNAMODB_SESSION: root, ...preload }
  const child = spawn(program, args, { cwd, env: { ...cleanEnvironment(), ...own, ...env } })
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

/** Runs a script that finds `DynamoDBStore` and the given `options`. */
function runScript(script, { options = {}, ...settings } = {}) {
  const env = { OPTIONS: JSON.stringify(options), ...settings.env }
  return runNode(['-e', prelude + script], { ...settings, env })
}

module.exports = { cleanEnvironment, root, run, runNode, runScript }
