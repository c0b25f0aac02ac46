#!/usr/bin/env node
'use strict'

const { adviceFor, reasonOf } = require('./advice.js')
const { CommandError, exitCodes, usageError } = require('./error.js')
const { helpOf, overview } = require('./help.js')
const { Output } = require('./output.js')
const { hint, parse } = require('./parse.js')

const commands = {
  init: require('./commands/init.js'),
  doctor: require('./commands/doctor.js'),
  policy: require('./commands/policy.js'),
  template: require('./commands/template.js'),
  stats: require('./commands/stats.js'),
  reap: require('./commands/reap.js'),
  show: require('./commands/show.js'),
  rm: require('./commands/rm.js'),
  migrate: require('./commands/migrate.js')
}

/** Runs a command line; resolves to the exit code. */
async function run([name, ...args]) {
  const output = new Output({ json: args.includes('--json') })
  let values
  try {
    if (name === undefined || ['help', '--help', '-h'].includes(name)) return help(args, output, name === undefined)
    if (name === '--version' || name === '-v') return output.text(require('../package.json').version)
    const command = commandNamed(name)
    const parsed = parse(args, command)
    values = parsed.values
    if (values.help) return output.text(helpOf(name, command).trimEnd())
    return (await command.run({ ...parsed, output })) ?? exitCodes.done
  } catch (error) {
    return fail(error, output, name, values)
  }
}

function help([name], output, isMissing) {
  if (name !== undefined && !name.startsWith('-')) return output.text(helpOf(name, commandNamed(name)).trimEnd())
  if (!isMissing) return output.text(overview(commands).trimEnd())
  output.note(overview(commands).trimEnd())
  return exitCodes.usage
}

function commandNamed(name) {
  if (Object.hasOwn(commands, name)) return commands[name]
  if (name.startsWith('-')) throw usageError(`${name} is no command; the command comes first, then its options`)
  throw usageError(`unknown command ${name}${hint(name, Object.keys(commands))}`)
}

function fail(error, output, name, values) {
  // A stack tells what no message does: a defect of this program.
  const isExpected = error instanceof CommandError || typeof error.code === 'string'
  const code = isExpected ? error.code : 'InternalError'
  const { message, exitCode = exitCodes.failed, side } = error
  const { todo = adviceFor(error, { command: name, values, side }) } = error
  const reason = isExpected ? reasonOf(error) : undefined
  output.note(`dynamodb-session: ${isExpected ? message : error.stack}`)
  if (reason) output.note(`  ${reason.replaceAll('\n', '\n  ')}`)
  if (todo) output.note(`  ${todo}`)
  if (exitCode === exitCodes.usage) {
    output.note(`  npx dynamodb-session ${Object.hasOwn(commands, name) ? `${name} ` : ''}--help`)
  }
  output.json({ error: { code, message, reason: reason ?? null, todo: todo ?? null } })
  return exitCode
}

process.stdout.on('error', (error) => {
  // Whoever read the output has seen enough of it.
  if (error.code === 'EPIPE') process.exit(exitCodes.done)
  process.stderr.write(`dynamodb-session: the output cannot be written: ${error.message}\n`)
  process.exit(exitCodes.failed)
})
// What is done there does not depend on somebody who reads of it.
process.stderr.on('error', () => {})

run(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode ?? exitCodes.done
})
