'use strict'

const { wrap } = require('./output.js')

// The report of doctor: one screen that ends with a verdict.

const groups = {
  Installation: ['addon', 'express-session'],
  Connection: ['region', 'settings', 'endpoint', 'credentials', 'clock', 'latency'],
  Table: ['table', 'keys', 'time to live', 'user index'],
  Permissions: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan', 'Query'],
  Sessions: ['prefix', 'encryption', 'users']
}

/** What a failed check means for an app, if the app does not work because of it. */
const consequences = {
  addon: 'the addon cannot be loaded',
  region: 'the Region is not set',
  settings: 'the settings are invalid',
  endpoint: 'the service cannot be reached',
  credentials: 'the credentials are missing or rejected',
  table: 'the table cannot be used',
  keys: 'the table has a different key',
  GetItem: 'sessions cannot be read',
  PutItem: 'sessions cannot be saved',
  UpdateItem: 'sessions cannot be renewed',
  DeleteItem: 'sessions cannot be deleted',
  encryption: 'some sessions cannot be decrypted'
}

/** The checks that every complete run makes after the connection. */
const laterChecks = {
  endpoint: 'the connection',
  table: 'the table',
  'time to live': 'time to live',
  GetItem: 'the permissions',
  latency: 'the latency',
  clock: 'the clock'
}

const words = { ok: 'ok', failed: 'FAIL', warning: 'WARN', unknown: 'skip' }
const symbols = { ok: '✓', failed: '✗', warning: '!', unknown: '?' }
const colors = { ok: 32, failed: 31, warning: 33, unknown: 36 }

const NAME_WIDTH = 'express-session'.length
/** On a screen with fewer columns, the detail of a check starts on its own line. */
const NARROW = 72

/** What the checks of this host say about an app, and the status that corresponds to it. */
function verdictOf(checks, host) {
  const namesWith = (status) => checks.filter((check) => check.status === status).map(({ name }) => name)
  const failed = namesWith('failed')
  const fatal = failed.find((name) => Object.hasOwn(consequences, name))
  if (fatal !== undefined) return { status: 'failed', text: `Does not work: ${consequences[fatal]}.` }
  const problems = failed.length + namesWith('warning').length
  const unknown = namesWith('unknown')
  if (problems > 0) {
    const things = problems === 1 ? '1 thing needs' : `${problems} things need`
    const others = unknown.length > 0 ? ` Not everything could be checked: ${unknown.join(', ')}.` : ''
    return { status: 'warning', text: `Works, but ${things} attention.${others}` }
  }
  if (unknown.length > 0) {
    return { status: 'ok', text: `No problems found, but not everything could be checked: ${unknown.join(', ')}.` }
  }
  return { status: 'ok', text: readyText(host) }
}

function readyText(host) {
  if (/\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws)$/i.test(host)) return 'Ready for production.'
  if (/^(localhost|127\..*|::1)$/i.test(host)) return 'Ready for development with this local server.'
  return `Works with ${host}, which is not AWS.`
}

/**
 * What the checks do not cover: what could not be checked, and what needs a check that failed, or else an option or a
 * look at the app.
 */
function listUnchecked(checks, { keys, 'user-index': userIndex }) {
  const done = checks.map(({ name }) => name)
  const missing = Object.keys(laterChecks).filter((name) => !done.includes(name))
  const unknown = checks.filter(({ status }) => status === 'unknown').map(({ name }) => name)
  if (missing.length > 0) return [...unknown, ...missing.map((name) => laterChecks[name])]
  return [
    ...unknown,
    'the options in the code of the app',
    ...(keys === undefined ? ['encryption (--keys)'] : []),
    ...(userIndex ? [] : ['the index of the users (--user-index)'])
  ]
}

/** The report as lines of text. */
function formatReport({ checks, verdict, unchecked, cost }, { columns, hasSymbols }) {
  const symbol = (status) => (hasSymbols ? `${symbols[status]} ` : '')
  const isNarrow = columns < NARROW
  const indent = isNarrow ? 4 : `  ${symbol('ok')}FAIL `.length + NAME_WIDTH + 2
  const entry = (label, text) => {
    const lines = indented(text, indent, columns)
    return isNarrow ? [label, ...lines] : [label.padEnd(indent) + lines[0].trimStart(), ...lines.slice(1)]
  }
  const sections = Object.entries(groups).flatMap(([title, names]) => {
    const found = mergeAllowed(checks.filter(({ name }) => names.includes(name)))
    found.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
    const lines = found.flatMap(({ name, status, detail }) =>
      entry(`  ${symbol(status)}${words[status].padEnd(4)} ${name}`, brief(detail))
    )
    return lines.length > 0 ? [title, ...lines] : []
  })
  const todo = ['failed', 'warning', 'ok', 'unknown'].flatMap((status) =>
    checks
      .filter((check) => check.status === status && check.todo !== null)
      .flatMap((check) => todoLines(check, columns))
  )
  return [
    ...sections,
    ...(todo.length > 0 ? ['', 'What to do', ...todo] : []),
    '',
    ...paragraph(`Not checked: ${unchecked.join(', ')}`, 0, columns),
    ...paragraph(`Cost: ${costText(cost)}`, 0, columns),
    '',
    ...wrap(symbol(verdict.status) + verdict.text, columns)
  ]
}

/** Operations that are allowed share a line. */
function mergeAllowed(checks) {
  const isAllowed = ({ status, detail }) => status === 'ok' && detail === 'allowed'
  const allowed = checks.filter(isAllowed).map(({ name }) => name)
  const others = checks.filter((check) => !isAllowed(check))
  return allowed.length > 0 ? [{ name: 'allowed', status: 'ok', detail: allowed.join(', ') }, ...others] : others
}

/** Without the operation and the list of the places that were searched for credentials. */
function brief(detail) {
  return detail
    .replace(/^(\S+: )?\w+ on table "[^"]*": /, '$1')
    .replace(
      /: the credential provider was not enabled: .*\. Attempted:\n.*/s,
      '. For the places that were searched, use --json'
    )
}

/** What to do about a check. A command has its own line, which is never broken, so that it can be copied. */
function todoLines({ name, todo }, columns) {
  const [text, command] = todo.split(/(?<=:) (?=npx dynamodb-session )/)
  return [...paragraph(`- ${name}: ${text}`, 2, columns), ...(command === undefined ? [] : [`    ${command}`])]
}

/** Lines of which all but the first have two more spaces of indentation. */
function paragraph(text, indent, columns) {
  return indented(text, indent + 2, columns).map((line, i) => (i === 0 ? line.slice(2) : line))
}

function indented(text, indent, columns) {
  return text.split('\n').flatMap((line) => wrap(line, columns - indent).map((part) => ' '.repeat(indent) + part))
}

function costText({ readUnits, writeUnits }) {
  if (readUnits + writeUnits === 0) return 'none'
  return `${readUnits} read and ${writeUnits} write capacity units; nothing was written`
}

/** Adds colors to the lines of a report. */
function paint(text) {
  const statusOf = (table, value) => Object.keys(table).find((status) => table[status] === value)
  const colored = (part, status) => `\x1b[${colors[status]}m${part}\x1b[39m`
  return text
    .replace(
      /^( {2})((?:[✓✗!?] )?(ok|FAIL|WARN|skip))(?= )/gm,
      (_, indent, part, word) => indent + colored(part, statusOf(words, word))
    )
    .replace(/^([✓✗!]) .*/ms, (part, symbol) => colored(part, statusOf(symbols, symbol)))
}

module.exports = { formatReport, listUnchecked, paint, verdictOf }
