'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { formatReport, listUnchecked, paint, verdictOf } = require('../../cli/report.js')

const page = path.join(__dirname, '..', '..', 'docs', 'cli.md')

const AWS = 'dynamodb.ap-southeast-1.amazonaws.com'

const check = (name, status = 'ok', detail = 'fine', todo = null) => ({ name, status, detail, todo })

/** The checks of a run without problems. */
const good = [
  check('addon', 'ok', 'dynamodb-session 1.0.0, Node.js 24.11.0, linux x64'),
  check('express-session', 'ok', '1.19.0'),
  check('region', 'ok', 'ap-southeast-1 (AWS_REGION)'),
  check('endpoint', 'ok', 'https://dynamodb.ap-southeast-1.amazonaws.com responds'),
  check('credentials', 'ok', 'found by the default credential provider chain'),
  check('table', 'ok', 'sessions is ACTIVE, about 12000 items'),
  check('keys', 'ok', 'id (S)'),
  check('time to live', 'ok', 'ENABLED on expires'),
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan'].map((name) => check(name, 'ok', 'allowed')),
  check('latency', 'ok', 'median 3.1 ms, maximum 9.4 ms, 10 reads'),
  check('clock', 'ok', "within 5 seconds of the service's clock")
]

/** These checks, with some of them replaced. */
const withChecks = (...changed) => good.map((each) => changed.find(({ name }) => name === each.name) ?? each)

function linesOf(checks, { columns = 80, hasSymbols = true, values = {} } = {}) {
  const report = {
    checks,
    verdict: verdictOf(checks, AWS),
    unchecked: listUnchecked(checks, values),
    cost: { readUnits: 21, writeUnits: 3 }
  }
  return formatReport(report, { columns, hasSymbols })
}

describe('the verdict of doctor', () => {
  for (const [name, checks, status, text] of [
    ['no problem', good, 'ok', 'Ready for production.'],
    [
      'a check that could not be made',
      withChecks(check('time to live', 'unknown'), check('Scan', 'unknown')),
      'ok',
      'No problems found, but not everything could be checked: time to live, Scan.'
    ],
    ['a warning', [...good, check('prefix', 'warning')], 'warning', 'Works, but 1 thing needs attention.'],
    [
      'two problems that an app survives',
      withChecks(check('clock', 'failed'), check('time to live', 'failed')),
      'warning',
      'Works, but 2 things need attention.'
    ],
    [
      'a problem and a check that could not be made',
      withChecks(check('time to live', 'failed'), check('Scan', 'unknown')),
      'warning',
      'Works, but 1 thing needs attention. Not everything could be checked: Scan.'
    ],
    [
      'a problem that stops an app',
      withChecks(check('time to live', 'failed'), check('PutItem', 'failed')),
      'failed',
      'Does not work: sessions cannot be saved.'
    ]
  ]) {
    test(`with ${name}`, () => assert.deepEqual(verdictOf(checks, AWS), { status, text }))
  }

  test('says that only AWS is ready for production', () => {
    const aws = [AWS, 'dynamodb.cn-north-1.amazonaws.com.cn', 'vpce-1.dynamodb.us-east-1.vpce.amazonaws.com']
    for (const host of [...aws, 'dynamodb.eu-west-1.api.aws', '1.ddb.us-east-1.amazonaws.com']) {
      assert.equal(verdictOf(good, host).text, 'Ready for production.')
    }
    for (const host of ['localhost', '127.0.0.1', '::1']) {
      assert.equal(verdictOf(good, host).text, 'Ready for development with this local server.')
    }
    const others = ['dynamodb-local', 'host.docker.internal', '0.0.0.0', 'amazonaws.com.test', 'notamazonaws.com']
    for (const host of others) assert.equal(verdictOf(good, host).text, `Works with ${host}, which is not AWS.`)
  })
})

describe('the report of doctor', () => {
  test('of a good table fits on a screen of 24 lines', () => {
    const lines = linesOf(good)
    assert.ok(lines.length <= 23 && lines.every((line) => line.length <= 80), lines.join('\n'))
    const titles = lines.filter((line) => /^[A-Z]\w+$/.test(line))
    assert.deepEqual(titles, ['Installation', 'Connection', 'Table', 'Permissions'])
    assert.deepEqual(lines.slice(-6), [
      '',
      'Not checked: the options in the code of the app, encryption (--keys), the',
      '  index of the users (--user-index)',
      'Cost: 21 read and 3 write capacity units; nothing was written',
      '',
      '✓ Ready for production.'
    ])
  })

  test('is the one in docs/cli.md', () => {
    const checks = withChecks(
      check('addon', 'ok', 'dynamodb-session 1.0.0, Node.js 24.11.0, linux x64'),
      check('region', 'ok', 'eu-central-1 (--region)'),
      check('endpoint', 'ok', 'https://dynamodb.eu-central-1.amazonaws.com responds'),
      check('credentials', 'ok', 'found in the environment'),
      check('table', 'ok', 'sessions is ACTIVE, about 1200 items'),
      check(
        'time to live',
        'failed',
        'DISABLED: expired sessions stay in the table, and you keep paying to store them',
        'to enable it, run: npx dynamodb-session init --table sessions --region eu-central-1'
      )
    )
    const report = linesOf(checks).join('\n')
    assert.ok(fs.readFileSync(page, 'utf8').includes(`\n${report}\n`), report)
  })

  test('lists what to do, the problems first, with each command on a line of its own', () => {
    const command = `npx dynamodb-session init --table sessions --region ap-southeast-1 --profile ${'x'.repeat(60)}`
    const lines = linesOf(
      withChecks(
        check('latency', 'ok', 'median 80 ms', 'run in the Region of the table'),
        check('time to live', 'failed', 'DISABLED: expired sessions stay', `to enable it, run: ${command}`)
      )
    )
    const start = lines.indexOf('What to do')
    assert.deepEqual(lines.slice(start - 1, start + 6), [
      '',
      'What to do',
      '  - time to live: to enable it, run:',
      `    ${command}`,
      '  - latency: run in the Region of the table',
      '',
      'Not checked: the options in the code of the app, encryption (--keys), the'
    ])
    assert.ok(lines.includes('  ✗ FAIL time to live     DISABLED: expired sessions stay'))
    assert.equal(lines.at(-1), '! Works, but 1 thing needs attention.')
  })

  test('names what was not checked after a problem, and not what was', () => {
    assert.deepEqual(listUnchecked([check('addon', 'failed')], {}), [
      'the connection',
      'the table',
      'time to live',
      'the permissions',
      'the latency',
      'the clock'
    ])
    const withUnknown = [check('addon'), check('region', 'failed'), check('clock', 'unknown')]
    assert.deepEqual(listUnchecked(withUnknown, {}).slice(0, 3), ['clock', 'the connection', 'the table'])
    assert.equal(listUnchecked(withChecks(check('Scan', 'unknown')), {})[0], 'Scan')
    assert.deepEqual(listUnchecked(good, { keys: 'keys.json', 'user-index': true }), [
      'the options in the code of the app'
    ])
  })

  test('shortens an error to what helps', () => {
    const detail =
      'DescribeTable on table "sessions": no AWS credentials found: the credential provider was not enabled: no credentials found in chain. Attempted:\n  Profile: not set\n  Environment: not set'
    const text = linesOf([...good.slice(0, 4), check('credentials', 'failed', detail)]).join('\n')
    assert.match(
      text,
      /✗ FAIL credentials {6}no AWS credentials found\. For the places that were\n {26}searched, use --json\n/
    )
    const endpoint = check('endpoint', 'failed', 'http://a:1: DescribeTable on table "sessions": cannot connect to a:1')
    assert.match(linesOf([endpoint]).join('\n'), /✗ FAIL endpoint {9}http:\/\/a:1: cannot connect to a:1\n/)
  })

  test('has ASCII words instead of symbols where the terminal does not have them', () => {
    const text = linesOf([...good, check('prefix', 'warning')], { hasSymbols: false }).join('\n')
    assert.match(text, /^ {2}ok {3}addon {12}dynamodb-session/m)
    assert.match(text, /^ {2}WARN prefix {11}fine$/m)
    assert.doesNotMatch(text, /\P{ASCII}/u)
  })

  for (const columns of [30, 40, 71, 72, 100, 200]) {
    test(`fits into ${columns} columns`, () => {
      const checks = withChecks(
        check('keys', 'failed', 'the key is id (S), not pk (S) and sk (S)', 'use --layout pwrdrvr')
      )
      for (const line of linesOf(checks, { columns })) {
        // A URL is not broken.
        assert.ok(line.length <= columns || line.trim().startsWith('https://'), line)
      }
    })
  }

  test('has the color of each result', () => {
    const text = linesOf(withChecks(check('keys', 'failed'), check('Scan', 'unknown'))).join('\n')
    const painted = paint(text)
    assert.ok(painted.includes('  \x1b[32m✓ ok\x1b[39m   addon'))
    assert.ok(painted.includes('  \x1b[31m✗ FAIL\x1b[39m keys'))
    assert.ok(painted.includes('  \x1b[36m? skip\x1b[39m Scan'))
    assert.ok(painted.endsWith('\n\x1b[31m✗ Does not work: the table has a different key.\x1b[39m'))
    const sequences = [31, 32, 36, 39].map((color) => `\x1b[${color}m`)
    assert.equal(
      sequences.reduce((part, sequence) => part.replaceAll(sequence, ''), painted),
      text
    )
  })
})
