#!/usr/bin/env node
'use strict'

const { CommandError, exitCodes, usageError } = require('./error.js')
const { commandHelp, programHelp } = require('./help.js')
const { causeText, hintFor } = require('./hints.js')
const { Output } = require('./output.js')
const { didYouMean, parseArguments } = require('./parse.js')

const commands = {
  init: require('./commands/init.js'),
  doctor: require('./commands/doctor.js'),
  policy: require('./commands/policy.js'),
  template: require('./commands/template.js'),
  stats: require('./commands/stats.js'),
  reap: require('./commands/reap.js'),
  show: require('./commands/show.js'),
  rm: require('./commands/rm.js'),
  migrate: require('./commands/migrate.js'),
  keys: require('./commands/keys.js'),
  rewrite: require('./commands/rewrite.js')
}

/** Runs the command of a command line. Resolves to the exit code. */
async function run([name, ...args]) {
  const output = new Output({ json: args.includes('--json') })
  let values
  try {
    if (name === undefined) {
      output.note(programHelp(commands))
      return exitCodes.usage
    }
    if (['help', '--help', '-h'].includes(name)) return showHelp(args, output)
    if (['--version', '-v'].includes(name)) return output.text(require('../package.json').version)
    const command = commandNamed(name)
    const parsed = parseArguments(args, command)
    values = parsed.values
    if (values.help) return output.text(commandHelp(name, command))
    return await command.run({ ...parsed, output })
  } catch (error) {
    return reportError(error, { output, name, values })
  }
}

function showHelp([name], output) {
  const isCommand = name !== undefined && !name.startsWith('-')
  output.text(isCommand ? commandHelp(name, commandNamed(name)) : programHelp(commands))
}

function commandNamed(name) {
  if (Object.hasOwn(commands, name)) return commands[name]
  if (name.startsWith('-')) throw usageError(`${name} is not a command: put the command before the options`)
  throw usageError(`unknown command ${name}${didYouMean(name, Object.keys(commands))}`)
}

function reportError(error, { output, name, values }) {
  // An error without a code is a defect of this program, for which the stack helps more than the message.
  const isExpected = error instanceof CommandError || typeof error.code === 'string'
  const code = isExpected ? error.code : 'InternalError'
  const { message, exitCode = exitCodes.failed, side } = error
  const { hint = hintFor(error, { command: name, values, side }) } = error
  const cause = isExpected ? causeText(error) : undefined
  const text = isExpected ? message : error.stack
  // Some messages already start with the name of the package and its version.
  output.note(text.startsWith('dynamodb-session ') ? text : `dynamodb-session: ${text}`)
  if (cause) output.note(`  ${cause.replaceAll('\n', '\n  ')}`)
  if (hint) output.note(`  ${hint}`)
  if (exitCode === exitCodes.usage) {
    output.note(`  npx dynamodb-session ${Object.hasOwn(commands, name) ? `${name} ` : ''}--help`)
  }
  output.json({ error: { code, message, reason: cause ?? null, todo: hint ?? null } })
  return exitCode
}

process.stdout.on('error', (error) => {
  // The reader, such as head(1), has closed the pipe.
  if (error.code === 'EPIPE') process.exit(exitCodes.success)
  process.stderr.write(`dynamodb-session: cannot write the output: ${error.message}\n`)
  process.exit(exitCodes.failed)
})
// A command continues even if nobody reads its messages.
process.stderr.on('error', () => {})

run(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode ?? exitCodes.success
})
