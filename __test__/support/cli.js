'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { runNode, root } = require('./child')

const timeLimit = 20_000
const bin = path.join(root, require('../../package.json').bin['dynamodb-session'])

/** The environment variables that connect a command to the server. */
function environmentOf({ endpoint, region, credentials }) {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
    // Ignore the files of the person who runs the tests.
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_EC2_METADATA_DISABLED: 'true'
  }
}

/** Runs the program with these arguments. `json` is its parsed output, if that is JSON. */
async function runCli(args, { connection, env, cwd } = {}) {
  const result = await runNode([bin, ...args], { cwd, env: { ...(connection && environmentOf(connection)), ...env } })
  return { ...result, json: parse(result.stdout) }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Starts the program. `interrupt()` acts like Ctrl-C; `ended` resolves to the output and the exit code. */
function startCli(args, { connection, cwd, input = '' }) {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...environmentOf(connection) } })
  child.stdin.end(input)
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => (printed[name] += chunk))
  const ended = once(child, 'close').then(([code, signal]) => ({
    ...printed,
    code,
    signal,
    json: parse(printed.stdout)
  }))
  return { interrupt: () => child.kill('SIGINT'), ended }
}

/**
 * Runs the program on a terminal (created by script(1)) of 80 columns, with these redirections. `input` is typed when the
 * output contains `inputAt`.
 */
function runOnTerminal(args, { connection, cwd, env, input = '', inputAt = '[y/N]', redirected = '' }) {
  const command = `stty cols 80; ${[process.execPath, bin, ...args].map((arg) => `'${arg}'`).join(' ')} ${redirected}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { ...process.env, TERM: 'xterm', ...environmentOf(connection), ...env }
  })
  let output = ''
  let isInputSent = false
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (isInputSent || !output.includes(inputAt)) return
    isInputSent = true
    child.stdin.write(input)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeLimit)
  return once(child, 'close').then(([code]) => {
    clearTimeout(timer)
    return { code, output }
  })
}

module.exports = { bin, runCli, runOnTerminal, startCli }
