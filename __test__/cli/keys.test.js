'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { runCli } = require('../support/cli')
const { temporaryDirectory } = require('../support/temporary-packages')

const keys = (...args) => runCli(['keys', ...args])
const keyOf = (byte) => Buffer.alloc(32, byte).toString('base64')
const parse = (file) => JSON.parse(fs.readFileSync(file, 'utf8'))

/** The name of a file with this content. */
function fileWith(t, content) {
  const file = path.join(temporaryDirectory(t), 'keys.json')
  fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('keys', () => {
  test('prints a JSON array with a random key of 32 bytes', async () => {
    const printed = [await keys(), await keys('--json')]
    for (const { code, json, stderr } of printed) {
      assert.deepEqual([code, stderr, json.length], [0, '', 1])
      assert.match(json[0].id, /^\d{4}-\d\d-\d\d-[a-z0-9]{4}$/)
      assert.equal(Buffer.from(json[0].key, 'base64').length, 32)
    }
    assert.notEqual(printed[0].json[0].key, printed[1].json[0].key)
    assert.notEqual(printed[0].json[0].id, printed[1].json[0].id)
    assert.equal((await keys('--id', '2026-11')).json[0].id, '2026-11')
  })

  test('creates a file that only its owner can read', async (t) => {
    const file = path.join(temporaryDirectory(t), 'keys.json')
    const { code, json, stdout, stderr } = await keys('--file', file, '--json')
    assert.deepEqual([code, stderr], [0, ''])
    const [key] = parse(file)
    assert.deepEqual(json, { file, id: key.id, keys: 1 })
    assert.doesNotMatch(stdout, new RegExp(key.key.slice(0, 20).replaceAll('+', '\\+')))
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['keys.json'])
  })

  test('puts the new key first, keeps the permissions of the file, and does not print the older keys', async (t) => {
    const old = [{ id: 'old', key: keyOf(1).replaceAll('/', '_').replaceAll('+', '-').replace('=', '') }]
    const file = fileWith(t, old)
    fs.chmodSync(file, 0o640)
    const { code, stdout, stderr } = await keys('--file', file, '--id', 'new')
    assert.deepEqual([code, stderr], [0, ''])
    assert.equal(stdout, `added the key new to ${file}, which now contains 2 keys\n`)
    const [first, ...others] = parse(file)
    assert.equal(first.id, 'new')
    assert.deepEqual(others, old)
    assert.equal(fs.statSync(file).mode & 0o777, 0o640)
    fs.chmodSync(file, 0o644)
    assert.match((await keys('--file', file)).stderr, /chmod o= /)
  })

  test('puts the new key last with --last', async (t) => {
    const file = fileWith(t, [{ id: 'old', key: keyOf(1) }])
    assert.equal((await keys('--file', file, '--id', 'new', '--last')).code, 0)
    assert.deepEqual(
      parse(file).map(({ id }) => id),
      ['old', 'new']
    )
    const without = await keys('--last')
    assert.deepEqual([without.code, /--last requires --file/.test(without.stderr)], [2, true])
  })

  test('follows a symbolic link', async (t) => {
    const file = fileWith(t, [{ id: 'old', key: keyOf(1) }])
    const link = path.join(path.dirname(file), 'link.json')
    fs.symlinkSync(file, link)
    assert.equal((await keys('--file', link)).code, 0)
    assert.ok(fs.lstatSync(link).isSymbolicLink())
    assert.equal(parse(file).length, 2)
  })

  test('does not replace a file that another command is writing', async (t) => {
    const file = fileWith(t, [{ id: 'old', key: keyOf(1) }])
    fs.writeFileSync(`${file}.new`, 'other')
    const { code, stderr } = await keys('--file', file)
    assert.equal(code, 1)
    assert.match(stderr, /keys\.json\.new exists\n.*delete that file/)
    assert.deepEqual([parse(file).length, fs.readFileSync(`${file}.new`, 'utf8')], [1, 'other'])
  })

  test('rejects an ID that the file already contains', async (t) => {
    const file = fileWith(t, [{ id: 'old', key: keyOf(1) }])
    const { code, stderr } = await keys('--file', file, '--id', 'old')
    assert.equal(code, 2)
    assert.match(stderr, /already contains a key with the ID old: use a different --id/)
    assert.equal(parse(file).length, 1)
  })

  for (const id of ['', 'a b', 'x'.repeat(65), 'é']) {
    test(`rejects the ID ${JSON.stringify(id.slice(0, 10))}`, async () => {
      const { code, stderr } = await keys(`--id=${id}`)
      assert.equal(code, 2)
      assert.match(stderr, /--id must have 1 to 64 characters/)
    })
  }

  const secret = 'c2VjcmV0'
  for (const [content, message] of [
    ['', /is not valid JSON/],
    [`[{"id":"a","key":"${secret}`, /is not valid JSON/],
    [`${secret}`, /is not valid JSON/],
    [{ id: 'a', key: keyOf(1) }, /must be a non-empty array/],
    [[], /must be a non-empty array/],
    [[null], /has no valid id at \[0\]/],
    [[{ id: 'a', key: keyOf(1) }, { key: keyOf(1) }], /has no valid id at \[1\]/],
    [[{ id: secret.repeat(10), key: keyOf(1) }], /has no valid id at \[0\]/],
    [[{ id: 'a', key: secret }], /has no valid key at \[0\]/],
    [[{ id: 'a', key: secret.repeat(6) }], /has no valid key at \[0\]/],
    [[{ id: 'a', key: `${secret.repeat(5)}ab!=` }], /has no valid key at \[0\]/],
    [
      [
        { id: 'a', key: keyOf(1) },
        { id: 'a', key: keyOf(2) }
      ],
      /has the id "a" twice/
    ]
  ]) {
    test(`keeps a file that is not a valid key file: ${JSON.stringify(content).slice(0, 60)}`, async (t) => {
      const file = fileWith(t, content)
      const before = fs.readFileSync(file, 'utf8')
      const { code, json, stderr } = await keys('--file', file, '--json')
      assert.deepEqual([code, json.error.code], [1, 'InvalidKeyFile'])
      assert.match(stderr, message)
      assert.match(json.error.todo, /keys of 32 bytes in base64$/)
      for (const text of [stderr, JSON.stringify(json)]) assert.ok(!text.includes(secret) && !text.includes(keyOf(1)))
      assert.equal(fs.readFileSync(file, 'utf8'), before)
    })
  }

  test('reports a file that cannot be written or read', async (t) => {
    const missing = await keys('--file', '/nonexistent/keys.json')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /cannot write the key file \/nonexistent\/keys\.json: ENOENT/)
    const directory = await keys('--file', temporaryDirectory(t))
    assert.match(directory.stderr, /cannot be read: EISDIR/)
  })

  test('does not print keys that are given instead of a file', async (t) => {
    const cwd = temporaryDirectory(t)
    const key = keyOf(1)
    for (const given of [key, key.slice(0, -1), JSON.stringify([{ id: 'a', key }]), ` {"id": "a", "key": "${key}"}`]) {
      for (const args of [
        ['rewrite', '--keys', given],
        ['migrate', '--from-table', 'old', '--to-table', 'new', '--to-keys', given],
        ['keys', '--file', given]
      ]) {
        const { code, stdout, stderr } = await runCli([...args, '--json'], { cwd })
        assert.deepEqual([code, /a key was given instead of the name of a key file/.test(stderr)], [2, true])
        assert.ok(!(stdout + stderr).includes(key.slice(0, -1)))
      }
    }
    assert.deepEqual(fs.readdirSync(cwd), [])
  })
})
