'use strict'

// Compares the spans that an app has with connect-dynamodb and the instrumentation of the AWS SDK, with those that it has
// with this store and its instrumentation. Without arguments, writes the tables of packages/opentelemetry/README.md.
//   node __test__/opentelemetry/comparison.js

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const prettier = require('prettier')
const manifest = require('../../package.json')
const { RawClient } = require('../support/raw-client')
const { root, runNode } = require('../support/child')
const { startServer } = require('../support/server')

const page = path.join(root, 'packages', 'opentelemetry', 'README.md')
const PART = /(?<=<!-- comparison -->\n)[^]*(?=\n<!-- comparison ends -->)/
const PACKAGES = ['connect-dynamodb', 'dynamodb-session/connect-dynamodb']
const [SERVER, CLIENT] = [1, 2]
/** A table whose key has a different name, so that reads fail. */
const WRONG = 'wrong-key'

/** Runs the app with both packages. Resolves to a run of each: the session ID and the spans. */
async function runApps() {
  const server = await startServer()
  const raw = new RawClient(server.connection)
  try {
    const tables = ['sessions', WRONG]
    await raw.createTable(tables[0])
    await raw.createTable(WRONG, { hashKey: 'other' })
    const runs = []
    for (const name of PACKAGES) {
      const args = [path.join(__dirname, 'traced-app.js'), name, JSON.stringify(server.connection), ...tables]
      const { code, stdout, stderr } = await runNode(args)
      assert.equal(code, 0, stderr)
      runs.push(JSON.parse(stdout))
    }
    return runs
  } finally {
    raw.close()
    await server.close()
  }
}

/** The spans of DynamoDB operations, by the path of the page that sent them. */
function spansByPage({ spans }) {
  const requests = spans.filter(({ kind }) => kind === SERVER)
  return requests.map(({ id, attributes }) => {
    const children = spans.filter(({ kind, parent }) => kind === CLIENT && parent === id)
    return { path: attributes['url.path'], children }
  })
}

/** The comparison as Markdown. */
async function comparisonOf(runs) {
  const pages = runs.map(spansByPage)
  const visits = pages[0].map(({ path: visited }, i) => [
    `\`${visited}\``,
    ...pages.map((visitsOf) => visitsOf[i].children.map(({ name }) => `\`${name}\``).join(', '))
  ])
  const readOf = (visitsOf, i) => valuesOf(visitsOf.at(i).children.find(({ name }) => name === 'DynamoDB.GetItem'))
  const [reads, failures] = [1, -1].map((i) => pages.map((visitsOf) => readOf(visitsOf, i)))
  const namesOf = (maps) => [...new Set(maps.toReversed().flatMap((values) => [...values.keys()]))]
  const rows = (maps, names) => names.map((name) => [`\`${name}\``, ...maps.map((values) => values.get(name) ?? '')])
  const isOfFailure = (name) => failures.some((values, i) => values.get(name) !== reads[i].get(name))
  const headings = ['connect-dynamodb, AWS SDK instrumentation', 'this store, this instrumentation']
  const text = [
    'The spans of each page of an Express app:',
    tableOf(['page', ...headings], visits.slice(0, -1)),
    'A read of a session:',
    tableOf(['attribute', ...headings], rows(reads, namesOf(reads))),
    'What differs if the read fails:',
    tableOf(['attribute', ...headings], rows(failures, namesOf(failures).filter(isOfFailure)))
  ].join('\n\n')
  return (await prettier.format(text, { parser: 'markdown', ...manifest.prettier })).trimEnd()
}

/** The values of a span by name, without those that differ from run to run. */
function valuesOf({ name, kind, attributes, status, events }) {
  const varying = {
    'server.port': 'the port',
    'aws.request_id': 'the ID',
    'aws.request.id': 'the ID',
    'exception.stacktrace': 'the stack'
  }
  const exception = events.find((event) => event.name === 'exception')?.attributes
  const entries = Object.entries({
    'span name': name,
    'span kind': kind === CLIENT ? 'CLIENT' : kind,
    ...attributes,
    'span status': ['Unset', 'Ok', 'Error'][status.code],
    'status message': status.message,
    ...exception
  })
  const shown = entries.filter(([, value]) => value !== undefined)
  return new Map(shown.map(([key, value]) => [key, varying[key] ?? `\`${textOf(value)}\``]))
}

/** The text of a value. Of a message, it is the first sentence. */
function textOf(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replace(/(?<=\w)\. .*/s, ' …').replaceAll(WRONG, 'sessions')
}

function tableOf(headings, rows) {
  return [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

async function update() {
  const comparison = await comparisonOf(await runApps())
  fs.writeFileSync(
    page,
    fs.readFileSync(page, 'utf8').replace(PART, () => `\n${comparison}\n`)
  )
}

if (require.main === module) update()

module.exports = { PART, comparisonOf, page, runApps, spansByPage }
