'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { available, contenders } = require('../contenders')
const { tableOf } = require('../support/sessions')

const NAMES = ['dynamodb-session', 'connect-dynamodb', 'lean', 'crossing']
const SIZE = 2048
const GETS = 2000
const PROGRAM = path.join(__dirname, '..', 'children', 'gets.js')

/** Counts the instructions of one get, as the difference between two runs. Unlike times, they are free of noise. */
async function countInstructions({ environment, servers, note, progress }) {
  const counts = {}
  for (const name of available(NAMES, note)) {
    progress(`instructions: ${name}`)
    const args = [await servers.endpoint('http'), tableOf(contenders[name].layout, SIZE), name]
    const options = { env: environment.variables(), cwd: environment.folder }
    try {
      const [once_, twice] = [await count([...args, GETS], options), await count([...args, 2 * GETS], options)]
      counts[name] = (twice - once_) / GETS
    } catch (error) {
      note(`Instructions were not counted: ${error.message}.`)
      return undefined
    }
  }
  return counts
}

async function count(args, options) {
  const words = ['--tool=callgrind', '--callgrind-out-file=/dev/null', process.execPath, PROGRAM, ...args.map(String)]
  const child = spawn('valgrind', words, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  const collected = /Collected : (\d+)/.exec(output)?.[1]
  if (code !== 0 || collected === undefined) throw new Error(`valgrind ended with ${code}: ${output.slice(-300)}`)
  return Number(collected)
}

module.exports = { countInstructions }
