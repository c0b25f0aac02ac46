'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const manifest = require('../../../package.json')
const { root } = require('../../support/child')

/** External programs. Only the syntax of their command lines is checked. */
const foreign = new Set('aws cargo cd curl docker echo esbuild export git ncc rustup sam serverless zip'.split(' '))

/** Checks commands without running them: their syntax, npm scripts, files, and options of the dynamodb-session command. */
function checkShell(code) {
  // Text after three or more spaces is an explanation.
  const commands = code.replaceAll(/(?<=\S) {3,}.*$/gm, '')
  execFileSync('bash', ['-n'], { input: commands, stdio: ['pipe', 'ignore', 'pipe'] })
  const lines = commands.replaceAll('\\\n', ' ').split('\n')
  for (const line of lines)
    for (const command of line.replaceAll(/\s(#.*|>\s*\S+)/g, '').split(/&&|[|;]/)) checkCommand(command)
}

function checkCommand(command) {
  const [program, ...args] = command.replace(/^\s*(\w+=\S*\s+)*/, '').match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  if (program === undefined || foreign.has(program)) return
  if (program === 'npm') return checkNpm(args)
  if (program === 'npx' && args[0] === manifest.name) return checkCli(args.slice(1))
  const file = program === 'node' ? args.find((arg) => !arg.startsWith('-')) : program
  assert.ok(fs.existsSync(path.join(root, file)), `unknown program or file ${file}`)
}

function checkNpm([verb, ...args]) {
  assert.match(verb, /^(ci|install|publish|run|start|test)$/)
  const script = verb === 'run' ? args[0] : verb === 'test' ? verb : undefined
  if (script) assert.ok(manifest.scripts[script], `there is no script ${script}`)
}

/** Checks that the command has each option. */
function checkCli([command, ...args]) {
  const { bin } = manifest
  const tool = path.join(root, typeof bin === 'string' ? bin : bin[manifest.name])
  const known = command.startsWith('-') ? [] : [command]
  const help = execFileSync(process.execPath, [tool, ...known, '--help'], { encoding: 'utf8' })
  for (const [option] of args.join(' ').matchAll(/--[\w-]+/g)) {
    assert.ok(help.includes(option) || option === '--help', `${command} has no option ${option}`)
  }
}

module.exports = { checkShell }
