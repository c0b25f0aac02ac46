'use strict'

const { wrap } = require('./output.js')
const { commonOptions } = require('./parse.js')

const WIDTH = 100

const exitCodesText = `Exit codes:
  0    success
  1    failure, or a problem found by doctor, migrate, or rewrite
  2    invalid usage
  3    session not found (show and rm)
  130  interrupted by Ctrl-C or SIGTERM`

/** The help of the program. */
function programHelp(commands) {
  const rows = Object.entries(commands).map(([name, { summary }]) => row(name, summary, 10))
  return `Usage: dynamodb-session <command> [options]

Manage the session tables of dynamodb-session and of the packages that it replaces.

Commands:
${rows.join('\n')}

Run 'dynamodb-session <command> --help' to show the options of a command.
Run 'dynamodb-session --version' to show the version.

The Region and the credentials come from the same places as in the AWS CLI: AWS_REGION, AWS_PROFILE,
AWS_ACCESS_KEY_ID, the other AWS variables, and the shared AWS config files.

${exitCodesText}`
}

/** The help of one command. */
function commandHelp(name, { summary, description, positionals = [], options, examples }) {
  const placeholders = positionals.map((positional) => ` <${positional}>`).join('')
  const shown = Object.entries({ ...options, ...commonOptions }).filter(([, { isHidden }]) => !isHidden)
  const rows = shown.map(([option, settings]) => [
    optionLabel(option, settings),
    settings.default === undefined ? settings.description : `${settings.description} (default: ${settings.default})`
  ])
  const width = Math.min(34, Math.max(...rows.map(([label]) => label.length)) + 2)
  return `Usage: dynamodb-session ${name}${placeholders} [options]

${summary}.

${description.trim()}

Options:
${rows.map(([label, text]) => row(label, text, width)).join('\n')}

Examples:
${examples.map((example) => `  npx dynamodb-session ${example}`).join('\n')}

${exitCodesText}`
}

function optionLabel(name, { short, placeholder }) {
  return `${short ? `-${short}, ` : ''}--${name}${placeholder ? ` <${placeholder}>` : ''}`
}

function row(label, text, width) {
  const lines = wrap(text, WIDTH - width - 2)
  return lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(width)}${line}`).join('\n')
}

module.exports = { commandHelp, programHelp }
