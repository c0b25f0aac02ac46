'use strict'

const { everywhere } = require('./parse.js')

const WIDTH = 100

const codes = `Exit codes:
  0    done
  1    failed, or the doctor or the verification found something
  2    the command line cannot be meant
  3    show and rm: there is no such session
  130  interrupted, by Ctrl-C or SIGTERM`

/** The help of the program. */
function overview(commands) {
  const names = Object.keys(commands)
  const lines = names.map((name) => row(name, commands[name].summary, 10))
  return `Usage: dynamodb-session <command> [options]

Tools for the table of the session store dynamodb-session, and for the tables of the packages that it replaces.

Commands:
${lines.join('\n')}

  dynamodb-session <command> --help   tells the options of a command
  dynamodb-session --version          tells the version

Region and credentials come from where the AWS tools take them: AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID
and so on, and the shared AWS config files.

${codes}
`
}

/** The help of one command. */
function helpOf(name, { summary, description, positionals = [], options, examples }) {
  const shown = positionals.map((positional) => ` <${positional}>`).join('')
  const rows = Object.entries({ ...options, ...everywhere }).map(([option, settings]) => [
    labelOf(option, settings),
    settings.default === undefined ? settings.text : `${settings.text} (default: ${settings.default})`
  ])
  const width = Math.min(34, Math.max(...rows.map(([label]) => label.length)) + 2)
  return `Usage: dynamodb-session ${name}${shown} [options]

${summary[0].toUpperCase()}${summary.slice(1)}.

${description.trim()}

Options:
${rows.map(([label, text]) => row(label, text, width)).join('\n')}

Examples:
${examples.map((example) => `  npx dynamodb-session ${example}`).join('\n')}

${codes}
`
}

function labelOf(name, { short, value }) {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` <${value}>` : ''}`
}

function row(label, text, width) {
  const lines = wrap(text, WIDTH - width - 2)
  return lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(width)}${line}`).join('\n')
}

function wrap(text, width) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`
    if (line.length > width && lines.at(-1) !== '') lines.push(word)
    else lines[lines.length - 1] = line
  }
  return lines
}

module.exports = { helpOf, overview }
