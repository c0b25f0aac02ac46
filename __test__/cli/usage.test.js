'use strict'

const assert = require('node:assert/strict')
const { execFile, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { promisify } = require('node:util')
const { Output } = require('../../cli/output.js')
const { version } = require('../../package.json')
const { runScript } = require('../support/child')
const { bin, runCli } = require('../support/cli')

const commands = ['init', 'doctor', 'policy', 'template', 'stats', 'reap', 'show', 'rm', 'migrate', 'keys', 'rewrite']

describe('help', () => {
  test('lists every command and the exit codes', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await runCli(args)
      assert.deepEqual([code, stderr], [0, ''])
      for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, 'm'))
      assert.match(stdout, /^Exit codes:\n {2}0 /m)
    }
  })

  for (const command of commands) {
    test(`of ${command} lists its options, examples, and exit codes`, async () => {
      const { code, stdout, stderr } = await runCli([command, '--help'])
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, new RegExp(`^Usage: dynamodb-session ${command}`))
      assert.match(stdout, /^ {2}--json +Print/m)
      assert.match(stdout, new RegExp(`^Examples:\n(  npx dynamodb-session ${command}( .*)?\n)+\n`, 'm'))
      assert.match(stdout, /^ {2}130 /m)
      assert.deepEqual(await runCli(['help', command]).then(({ stdout }) => stdout), stdout)
      for (const line of stdout.split('\n')) assert.ok(line.length <= 120, line)
    })

    test(`of ${command} has valid examples`, async () => {
      const { stdout } = await runCli([command, '--help'])
      const { parseArguments } = require('../../cli/parse.js')
      const examples = stdout.split('Examples:\n')[1].split('\n\n')[0].split('\n')
      for (const example of examples) {
        const line = example.replace(/^ {2}npx dynamodb-session \S+/, '').replace(/ [<>] \S+$/, '')
        const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain)
        assert.doesNotThrow(() => parseArguments(args, require(`../../cli/commands/${command}.js`)), example)
      }
    })
  }

  test('takes precedence over invalid arguments', async () => {
    const { code, stdout } = await runCli(['stats', '--nonsense', '-h', 'x'])
    assert.deepEqual([code, stdout.split('\n')[0]], [0, 'Usage: dynamodb-session stats [options]'])
  })

  test('works without the addon', async () => {
    const { code, stdout } = await runCli(['stats', '--help'], { env: { NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent' } })
    assert.equal(code, 0)
    assert.match(stdout, /^Usage/)
  })
})

test('--version prints the version of the package', async () => {
  assert.equal((await runCli(['--version'])).stdout, `${version}\n`)
})

describe('invalid usage', () => {
  for (const [args, message] of [
    [[], /^Usage: /],
    [['staats'], /unknown command staats; did you mean stats\?/],
    [['help', 'mirgate'], /unknown command mirgate; did you mean migrate\?/],
    [['constructor'], /unknown command constructor/],
    [['stats', '--tabel', 'x'], /unknown option --tabel; did you mean --table\?/],
    [['nothing', 'like', 'it'], /unknown command nothing\n/],
    [['--json', 'stats'], /--json is not a command: put the command before the options/],
    [['stats', '-x'], /unknown option -x\n/],
    [['stats', '--format', 'map'], /unknown option --format\n/],
    [['stats', '--table', '--json'], /option --table requires a value/],
    [['stats', '--table', '-y'], /option --table requires a value/],
    [
      ['template', 'cdk', '--features', 'sessions, user'],
      /instead of the feature user in --features, use --user-index/
    ],
    [['rewrite', '--user', ''], /--user must be the path of a field/],
    [['rewrite', '--user', 'passport..user'], /--user must be the path of a field/],
    [['migrate', '--to-user', '.user'], /--to-user must be the path of a field/],
    [['reap', '--rate', '-5'], /--rate must be a number greater than 0/],
    [['init', '--to', ''], /unknown option --to\n/],
    [['stats', 'x'], /unexpected argument x/],
    [['show'], /missing argument <id-or-cookie>/],
    [['stats', '--table'], /option --table requires a value: --table <name>/],
    [['stats', '--json=yes'], /option --json does not take a value/],
    [['stats', '--table', 'a'], /option --table must be a table name/],
    [['stats', '--hash-key', 'sess'], /option --session-attribute and option --hash-key name the same attribute/],
    [['stats', '--layout', 'baselin'], /--layout must be one of .*; did you mean baseline\?/],
    [['stats', '--sample', '0'], /--sample must be a percentage/],
    [['stats', '--sample', '101%'], /--sample must be a percentage/],
    [['stats', '--limit', '1.5'], /--limit must be a whole number of at least 1/],
    [['stats', '--limit', '5', '--sample', '5%'], /cannot be combined/],
    [['reap', '--endpoint', 'nowhere'], /option --endpoint must be a URL that starts with http:\/\/ or https:\/\//],
    [['init', '--tag', 'x'], /--tag must have the form key=value/],
    [['policy', '--features', 'sessions,scam'], /did you mean scan\?/],
    [['policy', '--account', '1'], /12 digits/],
    [['policy', '--leading-keys', '--layout', 'koa-session-dynamodb-store'], /requires a prefix/],
    [['template', 'cloudfront'], /must be one of cloudformation, terraform, cdk, not cloudfront\n/],
    [['template', 'terrafrom'], /did you mean terraform\?/],
    [['template', 'cdk', '--user-attribute', 'owner'], /--user-attribute requires --user-index/],
    [
      ['init', '--user-index', '--user-attribute', 'sess'],
      /option --user-attribute and option --session-attribute name the same attribute/
    ],
    [['init', '--user-index', '--user-attribute', 'a b'], /its index is named after it/],
    [['rewrite'], /set the form of the sessions: --keys, --compress, --decompress, or --user/],
    [['rewrite', '--decrypt'], /--decrypt requires --keys/],
    [['rewrite', '--accept-plain', '--compress'], /--accept-plain requires --keys/],
    [['rewrite', '--compress', '--decompress'], /cannot be combined/],
    [['rewrite', '--compress', '--format', 'map'], /--format map cannot be combined with compressed sessions/],
    [['template'], /missing argument <cloudformation\|terraform\|cdk>/],
    [['migrate'], /the source and the target are the same items/],
    [['migrate', '--to-hash-key', ''], /option --to-hash-key must be a non-empty string/],
    [['migrate', '--overwrite', '--verify-only', '--to-table', 'two'], /cannot be combined/],
    [['show', 'a=1; b=2'], /use --cookie-name/],
    [['show', 'a=1', '--cookie-name', 'b'], /there is no cookie named b/],
    [['show', ''], /the session ID is empty/]
  ]) {
    test(JSON.stringify(args.join(' ')), async () => {
      const { code, stdout, stderr } = await runCli(args)
      assert.equal(code, 2)
      if (!args.includes('--json')) assert.equal(stdout, '')
      assert.match(stderr.replace(/^dynamodb-session: /, ''), message)
      assert.doesNotMatch(stderr, /^ +at /m)
    })
  }

  test('is reported as JSON with --json', async () => {
    const { code, json, stderr } = await runCli(['stats', '--json', '--tabel', 'x'])
    assert.equal(code, 2)
    assert.equal(json.error.code, 'UsageError')
    assert.match(json.error.message, /--tabel/)
    assert.match(stderr, /--tabel/)
  })
})

describe('output', () => {
  /** Runs a command that prints to stdout and stderr. */
  async function policyWith(stdio, prepare = () => {}) {
    const child = spawn(process.execPath, [bin, 'policy'], { stdio: ['ignore', ...stdio] })
    const printed = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) child[name]?.on('data', (chunk) => (printed[name] += chunk))
    prepare(child)
    const [code] = await once(child, 'close')
    return { code, ...printed }
  }

  test('stops cleanly when the reader closes the pipe', async () => {
    const { code, stderr } = await policyWith(['pipe', 'pipe'], ({ stdout }) => stdout.destroy())
    assert.equal(code, 0)
    assert.doesNotMatch(stderr, /EPIPE/)
  })

  test('is complete even if nobody reads stderr', async () => {
    const { code, stdout } = await policyWith(['pipe', 'pipe'], ({ stderr }) => stderr.destroy())
    assert.equal(code, 0)
    assert.ok(JSON.parse(stdout).Version)
  })

  test('to a full disk fails', { skip: !fs.existsSync('/dev/full') }, async (t) => {
    const full = fs.openSync('/dev/full', 'w')
    t.after(() => fs.closeSync(full))
    const { code, stderr } = await policyWith([full, 'pipe'])
    assert.equal(code, 1)
    assert.match(stderr, /^dynamodb-session: cannot write the output: ENOSPC/m)
    assert.doesNotMatch(stderr, /^ +at /m)
  })

  test('escapes characters that control a terminal', () => {
    const stream = { write: (text) => (stream.text = text) }
    const output = new Output({ stdout: stream, stderr: stream })
    output.result({}, ['id  \x1b[31m\x9b31m\x07é日\r', 'next'])
    assert.equal(stream.text, 'id  \\u001b[31m\\u009b31m\\u0007é日\\u000d\nnext\n')
    output.note('a\x1bb')
    assert.equal(stream.text, 'a\\u001bb\n')
  })
})

test('the package does not load the command line', async () => {
  const { stdout } = await runScript(
    `const files = Object.keys(require.cache)
     console.log(files.filter((file) => file.startsWith(${JSON.stringify(path.dirname(bin))})).length)`
  )
  assert.equal(stdout, '0\n')
})

test('the program is executable and in the package', async () => {
  assert.ok(fs.statSync(bin).mode & 0o100)
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json'], { shell: true })
  const [{ files }] = JSON.parse(stdout)
  const packed = files.map((file) => file.path)
  for (const command of commands) assert.ok(packed.includes(`cli/commands/${command}.js`), command)
})
