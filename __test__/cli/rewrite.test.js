'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const layouts = require('../../lib/compat/layouts.js')
const { runCli, runOnTerminal, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/calls')
const { delayed, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { encryptedWith, keyFile, sampleKeys } = require('../support/key-files')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { temporaryDirectory } = require('../support/temporary-packages')

const dynamodb = useDynamoDB()

const isLinux = process.platform === 'linux'
const onTerminal = isLinux ? needs('proxy') : { skip: 'script(1) has different options on other systems' }

const [oldKey, newKey, otherKey] = sampleKeys('old', 'new', 'other')

const rewrite = (table, ...args) =>
  runCli(['rewrite', '--table', table, '--rate', '1000', ...args, '--json'], { connection: dynamodb.connection })

/** Also encrypts plain sessions. */
const encrypt = (table, keys, ...args) => rewrite(table, '--keys', keys, '--accept-plain', ...args)

const session = () => newSession({ passport: { user: 'ann' }, text: 'é🚀' })
const tableWithSession = async () => {
  const table = await dynamodb.newTable()
  await dynamodb.store({ table }).set(newSid(), session())
  return table
}
const formsOf = async (table) => (await dynamodb.raw.items(table)).map(({ sess }) => Object.keys(sess)[0]).toSorted()
/** The outcomes that are not zero. */
const outcomes = ({ json }) => {
  const { table: _, finished: _finished, dryRun: _dryRun, scanned: _scanned, reasons: _reasons, ...counts } = json
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}
const keyIdOf = ({ sess }) => Buffer.from(sess.B).toString('latin1', 3, 3 + sess.B[2])

describe('rewrite', () => {
  for (const [option, text] of [
    ['--dry-run', '0 to rewrite'],
    ['--yes', '0 rewritten']
  ]) {
    test(`with ${option} says in the progress: ${text}`, onTerminal, async () => {
      const proxy = await dynamodb.proxy()
      proxy.on('Scan', delayed(500))
      const args = ['rewrite', '--table', await tableWithSession(), '--compress', '--endpoint', proxy.endpoint, option]
      const { output } = await runOnTerminal(args, { connection: dynamodb.connection })
      assert.ok(output.includes(`, ${text}`), output)
    })
  }

  test('encrypts under the newest key, and keeps expiries and other attributes', async (t) => {
    const table = await dynamodb.newTable()
    const [plain, old] = [newSid(), newSid()]
    await dynamodb.store({ table }).set(plain, session())
    await dynamodb.store({ table, ...encryptedWith(oldKey) }).set(old, session())
    const attributes = { sess: { S: '{"a":1}' }, roles: { SS: ['a', 'b'] }, created: { N: '5' } }
    await dynamodb.putItem('other-attributes', attributes, { table })
    const before = await dynamodb.raw.items(table)
    const keys = keyFile(t, newKey, oldKey)
    const dry = await encrypt(table, keys, '--dry-run')
    assert.deepEqual([dry.code, outcomes(dry), dry.json.dryRun], [0, { rewritten: 3 }, true])
    assert.deepEqual(await dynamodb.raw.items(table), before)
    const done = await encrypt(table, keys)
    assert.deepEqual([done.code, outcomes(done), done.stderr], [0, { rewritten: 3 }, ''])
    assert.deepEqual([done.json.table, done.json.finished, done.json.scanned], [table, true, 3])
    const byId = (items) => Object.fromEntries(items.map((item) => [item.id.S, { ...item, sess: undefined }]))
    const items = await dynamodb.raw.items(table)
    assert.deepEqual(byId(items), byId(before))
    assert.deepEqual(items.map(keyIdOf), ['new', 'new', 'new'])
    const store = dynamodb.store({ table, ...encryptedWith(newKey) })
    for (const sid of [plain, old]) assert.equal((await store.get(sid)).text, 'é🚀')
    assert.deepEqual(await store.get('other-attributes'), { a: 1 })
    assert.deepEqual(outcomes(await rewrite(table, '--keys', keys)), { same: 3 })
    assert.deepEqual(await dynamodb.raw.items(table), items)
  })

  test('encrypts plain sessions only if the app accepts them', async (t) => {
    const table = await dynamodb.newTable()
    const [planted, old] = [newSid(), newSid()]
    await dynamodb.store({ table }).set(planted, session())
    await dynamodb.store({ table, ...encryptedWith(oldKey) }).set(old, session())
    const keys = keyFile(t, newKey, oldKey)
    const refused = await rewrite(table, '--keys', keys)
    assert.deepEqual([refused.code, outcomes(refused)], [1, { rewritten: 1, unreadable: 1 }])
    assert.match(Object.keys(refused.json.reasons).join(), /^plain: to encrypt it too, set --accept-plain, /)
    assert.ok((await dynamodb.item(planted, { table })).sess.S)
    assert.deepEqual(outcomes(await encrypt(table, keys)), { rewritten: 1, same: 1 })
  })

  for (const [name, { format = 'json', attributes = {}, hashKey = 'id', sortKey, prefix }] of Object.entries(layouts)) {
    test(
      `encrypts and decrypts the sessions of ${name}`,
      needs(...(format === 'map' ? ['mapEquality'] : [])),
      async (t) => {
        const table = await dynamodb.newTable({ hashKey, sortKey })
        const options = { table, hashKey, sortKey, prefix, attributes }
        const sid = newSid()
        await dynamodb.store({ ...options, format }).set(sid, session())
        const [before] = await dynamodb.raw.items(table)
        const keys = keyFile(t, newKey)
        const args = ['--layout', name, '--keys', keys]
        assert.deepEqual(outcomes(await rewrite(table, ...args, '--accept-plain')), { rewritten: 1 })
        const [{ [attributes.session ?? 'sess']: encrypted }] = await dynamodb.raw.items(table)
        assert.ok(encrypted.B)
        const found = await dynamodb.store({ ...options, ...encryptedWith(newKey) }).get(sid)
        assert.equal(found.text, 'é🚀')
        assert.deepEqual(outcomes(await rewrite(table, ...args, '--decrypt')), { rewritten: 1 })
        assert.deepEqual(await dynamodb.raw.items(table), [before])
        const again = await rewrite(table, ...args, '--decrypt')
        assert.deepEqual([again.code, outcomes(again)], [0, { same: 1 }])
      }
    )
  }

  test('compresses only where that saves a write unit, and writes plain sessions again', async () => {
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table })
    const long = { ...session(), long: 'x'.repeat(3000) }
    const [small, large] = [newSid(), newSid()]
    await store.set(small, session())
    await store.set(large, long)
    assert.deepEqual(outcomes(await rewrite(table, '--compress')), { rewritten: 1, same: 1 })
    assert.deepEqual(await formsOf(table), ['B', 'S'])
    assert.equal((await store.get(large)).long, long.long)
    assert.deepEqual(outcomes(await rewrite(table, '--compress')), { same: 2 })
    assert.deepEqual(outcomes(await rewrite(table, '--decompress')), { rewritten: 1, same: 1 })
    assert.deepEqual(await formsOf(table), ['S', 'S'])
  })

  test('keeps the format of the layout of sessions that are not compressed', needs('mapEquality'), async () => {
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const store = dynamodb.store({ table, hashKey: 'sessionId', format: 'map' })
    await store.set(newSid(), session())
    await store.set(newSid(), { ...session(), long: 'x'.repeat(3000) })
    const before = await dynamodb.raw.items(table)
    const args = ['--layout', 'dynamodb-store']
    assert.deepEqual(outcomes(await rewrite(table, ...args, '--compress')), { rewritten: 1, same: 1 })
    assert.deepEqual(await formsOf(table), ['B', 'M'])
    assert.deepEqual(outcomes(await rewrite(table, ...args, '--decompress')), { rewritten: 1, same: 1 })
    assert.deepEqual(await dynamodb.raw.items(table), before)
  })

  test('compresses encrypted sessions, and writes them uncompressed without --compress', async (t) => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table }).set(sid, { ...session(), long: 'x'.repeat(3000) })
    const keys = keyFile(t, newKey)
    const flagsOf = async () => (await dynamodb.raw.items(table))[0].sess.B[1]
    for (const [args, flags] of [
      [['--compress'], 3],
      [[], 1]
    ]) {
      assert.deepEqual(outcomes(await encrypt(table, keys, ...args)), { rewritten: 1 })
      assert.equal(await flagsOf(), flags)
      assert.deepEqual(outcomes(await rewrite(table, '--keys', keys, ...args)), { same: 1 })
    }
    assert.equal((await dynamodb.store({ table, ...encryptedWith(newKey) }).get(sid)).long.length, 3000)
  })

  test('adds the user, and leaves the form of the sessions unchanged', needs('timeToLive'), async () => {
    const table = dynamodb.newTableName()
    const init = await runCli(['init', '--table', table, '--user-index'], { connection: dynamodb.connection })
    assert.equal(init.code, 0, init.stderr)
    const [ann, number, nobody] = [newSid(), newSid(), newSid()]
    await dynamodb.store({ table, compression: true }).set(ann, { ...session(), long: 'x'.repeat(3000) })
    await dynamodb.store({ table }).set(number, { ...session(), passport: { user: 7 } })
    await dynamodb.store({ table }).set(nobody, { cookie: {} })
    await dynamodb.putItem('set-by-function', { sess: { S: '{}' }, user: { S: 'bob' } }, { table })
    const forms = await formsOf(table)
    const done = await rewrite(table, '--user', 'passport.user')
    assert.deepEqual([done.code, outcomes(done)], [0, { rewritten: 2, same: 2, withoutUser: 2, keptUser: 1 }])
    assert.deepEqual(await formsOf(table), forms)
    const store = dynamodb.store({ table, user: 'passport.user' })
    const owners = await Promise.all(['ann', 7, 'bob'].map((user) => store.idsOf(user)))
    assert.deepEqual(owners, [[ann], [number], ['set-by-function']])
    const again = await rewrite(table, '--user', 'passport.user')
    assert.deepEqual(outcomes(again), { same: 4, withoutUser: 2, keptUser: 1 })
  })

  test('reports in each run the sessions whose user it does not find', async (t) => {
    const table = await dynamodb.newTable()
    await dynamodb.store({ table, user: 'passport.user', ...encryptedWith(oldKey) }).set(newSid(), session())
    await dynamodb.store({ table, ...encryptedWith(oldKey) }).set(newSid(), { cookie: {} })
    const keys = keyFile(t, newKey, oldKey)
    for (const [change, args] of [
      ['rewritten', ['--dry-run']],
      ['rewritten', []],
      ['same', ['--dry-run']],
      ['same', []]
    ]) {
      const path = await rewrite(table, '--keys', keys, '--user', 'passport.usr', '--dry-run')
      assert.deepEqual([path.code, outcomes(path)], [0, { [change]: 2, withoutUser: 2, keptUser: 1 }])
      assert.match(path.stderr, /^no user was found at passport.usr in 2 of .*check --user; .*keep all keys$/m)
      const none = await rewrite(table, '--keys', keys, ...args)
      assert.deepEqual([none.code, outcomes(none)], [0, { [change]: 2, keptUser: 1 }])
      assert.match(none.stderr, /^the attribute user was not changed in 1 of .*with --user before you remove a key$/m)
    }
    const run = ['rewrite', '--table', table, '--keys', keys, '--user', 'x', '--dry-run']
    const text = await runCli(run, { connection: dynamodb.connection })
    assert.match(text.stdout, /^ +2 of these without a user at x$/m)
    assert.match(text.stdout, /^ +1 of these with the attribute user, which was not changed$/m)
    const backfill = await rewrite(await tableWithSession(), '--user', 'passport.usr')
    assert.deepEqual([backfill.code, outcomes(backfill)], [0, { same: 1, withoutUser: 1 }])
    assert.match(backfill.stderr, /^no user was found at passport.usr in 1 of [^;]*$/m)
  })

  test(
    'hashes the user under the newest key, and warns about users whose hash stays',
    needs('timeToLive'),
    async (t) => {
      const table = dynamodb.newTableName()
      const connected = { connection: dynamodb.connection }
      const init = ['init', '--table', table, '--user-index', '--user-attribute', 'owner']
      assert.equal((await runCli(init, connected)).code, 0)
      const options = { table, user: 'passport.user', attributes: { user: 'owner' } }
      const sid = newSid()
      await dynamodb.store({ ...options, ...encryptedWith(oldKey) }).set(sid, session())
      const keys = keyFile(t, newKey, oldKey)
      const args = ['--keys', keys, '--user-attribute', 'owner']
      const warned = await rewrite(table, ...args)
      assert.deepEqual([warned.code, outcomes(warned)], [0, { rewritten: 1, keptUser: 1 }])
      assert.match(warned.stderr, /the attribute owner was not changed in 1 of .*run this command again with --user/)
      const store = dynamodb.store({ ...options, ...encryptedWith(newKey) })
      assert.deepEqual(await store.idsOf('ann'), [])
      assert.deepEqual(outcomes(await rewrite(table, ...args, '--user', 'passport.user')), { rewritten: 1 })
      assert.deepEqual(await store.idsOf('ann'), [sid])
      const plain = await rewrite(table, ...args, '--user', 'passport.user', '--decrypt')
      assert.deepEqual(outcomes(plain), { rewritten: 1 })
      assert.deepEqual(await dynamodb.store(options).idsOf('ann'), [sid])
    }
  )

  test('rewrites sessions with hashed IDs', async (t) => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table, hashIds: true }).set(sid, session())
    const keys = keyFile(t, newKey)
    for (const args of [[], ['--hash-ids']]) {
      assert.deepEqual(outcomes(await encrypt(table, keys, ...args)), { rewritten: 1 })
      const store = dynamodb.store({ table, hashIds: true, ...encryptedWith(newKey) })
      assert.equal((await store.get(sid)).text, 'é🚀')
      assert.deepEqual(outcomes(await rewrite(table, '--keys', keys, '--decrypt', ...args)), { rewritten: 1 })
    }
  })

  test('reports sessions that cannot be read or written, with reasons, and continues', async (t) => {
    const table = await dynamodb.newTable()
    const sess = { S: '{"a":1}' }
    await dynamodb.putItem('readable', { sess }, { table })
    await dynamodb.putItem('gone', { sess, expires: { N: '1' } }, { table })
    await dynamodb.putItem('corrupt', { sess: { S: '{secret' } }, { table })
    await dynamodb.putItem('user', { sess: { S: '{"passport":{"user":{"secret":1}}}' } }, { table })
    await dynamodb.raw.putItem(table, { id: { S: 'not-a-session' } })
    await dynamodb.store({ table, ...encryptedWith(otherKey) }).set('unknown-key', session())
    await dynamodb.store({ table, ...encryptedWith({ ...oldKey, key: newKey.key }) }).set('wrong-key', session())
    const done = await encrypt(table, keyFile(t, newKey, oldKey), '--user', 'passport.user')
    assert.deepEqual(outcomes(done), { rewritten: 1, expired: 1, unreadable: 3, failed: 1, foreign: 1, withoutUser: 1 })
    assert.equal(done.code, 1)
    assert.deepEqual(done.json.reasons, {
      'not a JSON object': 1,
      'encrypted under the key other, which is in no given key file': 1,
      'cannot be decrypted: the key old differs from the one that encrypted it, or the item was changed or copied from a different session': 1,
      'the user must be a non-empty string or a number': 1
    })
    assert.doesNotMatch(done.stdout + done.stderr, /secret/)
    const text = await runCli(['rewrite', '--table', table, '--compress'], { connection: dynamodb.connection })
    assert.equal(text.code, 1)
    assert.match(text.stdout, /^ +4 unreadable$/m)
    assert.match(text.stdout, /^ +1 reason: encrypted under the key other/m)
  })

  test('counts rare reasons together', async (t) => {
    const table = await dynamodb.newTable()
    const keys = sampleKeys(...Array.from({ length: 30 }, (_, i) => `junk${i}`))
    for (const key of keys) await dynamodb.store({ table, ...encryptedWith(key) }).set(newSid(), session())
    const { json } = await rewrite(table, '--keys', keyFile(t, newKey))
    assert.deepEqual([json.unreadable, Object.keys(json.reasons).length, json.reasons['other reasons']], [30, 21, 10])
  })

  /** Changes something before each of the next requests that write. */
  const before = (proxy, times, change) =>
    proxy.on(
      'UpdateItem',
      async ({ response, forward }) => {
        await change()
        const { status, headers, text } = await forward()
        response.writeHead(status, headers).end(text)
      },
      times
    )

  test('does not overwrite a session that the app changes', needs('proxy'), async (t) => {
    const keys = keyFile(t, newKey)
    const changed = { ...session(), changed: true }
    const run = async (times, change) => {
      const table = await dynamodb.newTable()
      const proxy = await dynamodb.proxy()
      const sid = newSid()
      await dynamodb.store({ table }).set(sid, session())
      before(proxy, times, () => change(table, sid))
      const done = await encrypt(table, keys, '--endpoint', proxy.endpoint)
      const found = await dynamodb.store({ table, encryption: { keys: [newKey], acceptPlain: true } }).get(sid)
      return { code: done.code, counts: outcomes(done), reasons: done.json.reasons, found }
    }
    const plain = await run(1, (table, sid) => dynamodb.store({ table }).set(sid, changed))
    assert.deepEqual([plain.code, plain.counts, plain.found.changed], [0, { rewritten: 1 }, true])
    const encrypted = await run(1, (table, sid) =>
      dynamodb.store({ table, ...encryptedWith(newKey) }).set(sid, changed)
    )
    assert.deepEqual([encrypted.code, encrypted.counts, encrypted.found.changed], [0, { changed: 1 }, true])
    const destroyed = await run(1, (table, sid) => dynamodb.store({ table }).destroy(sid))
    assert.deepEqual([destroyed.code, destroyed.counts, destroyed.found], [0, { changed: 1 }, null])
    let count = 0
    const always = await run(Infinity, (table, sid) =>
      dynamodb.store({ table }).set(sid, { ...changed, count: count++ })
    )
    assert.deepEqual([always.code, always.counts, always.found.count], [1, { failed: 1 }, 4])
    assert.deepEqual(always.reasons, { 'changed during each of 5 attempts': 1 })
  })

  test('keeps a touch that happens in the meantime', needs('proxy'), async (t) => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table }).set(sid, session())
    const proxy = await dynamodb.proxy()
    const expires = nowInSeconds() + 5000
    before(proxy, 1, () => dynamodb.setExpires(sid, expires, { table }))
    const done = await encrypt(table, keyFile(t, newKey), '--endpoint', proxy.endpoint)
    assert.deepEqual(outcomes(done), { rewritten: 1 })
    assert.equal((await dynamodb.item(sid, { table })).expires.N, `${expires}`)
  })

  test('names the feature of the policy that it needs', needs('proxy'), async (t) => {
    const table = await dynamodb.newTable()
    await dynamodb.store({ table }).set(newSid(), session())
    const proxy = await dynamodb.proxy()
    proxy.on('UpdateItem', errorResponse(400, 'AccessDeniedException'))
    const { code, json } = await encrypt(table, keyFile(t, newKey), '--endpoint', proxy.endpoint)
    assert.equal(code, 1)
    assert.match(json.error.todo, /dynamodb:UpdateItem .*policy --features rewrite/)
  })

  test('can be interrupted by Ctrl-C and resumed', async (t) => {
    const cwd = temporaryDirectory(t)
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table })
    for (let i = 0; i < 40; i++) await store.set(newSid(), session())
    const keys = keyFile(t, newKey, oldKey)
    const args = ['rewrite', '--table', table, '--json', '--accept-plain', '--state', 'state.json', '--keys']
    const settings = { connection: dynamodb.connection, cwd }
    const encrypted = async () => (await formsOf(table)).filter((form) => form === 'B').length
    const { interrupt, ended } = startCli([...args, keys, '--rate', '20'], settings)
    await eventually(async () => (await encrypted()) > 5, 15_000)
    interrupt()
    const first = await ended
    assert.deepEqual([first.code, first.json.rewritten, first.json.finished], [130, await encrypted(), false])
    assert.ok(first.json.rewritten < 40)
    const checkpoint = fs.readFileSync(path.join(cwd, 'state.json'), 'utf8')
    for (const { key } of [newKey, oldKey]) assert.ok(!checkpoint.includes(key.slice(0, 20)))
    const other = await runCli([...args, keyFile(t, oldKey)], settings)
    assert.deepEqual([other.code, /a different run.* use the options of that run, or/.test(other.stderr)], [2, true])
    const second = await runCli([...args, keys, '--rate', '1000'], settings)
    assert.deepEqual([second.code, second.json.rewritten, second.json.scanned], [0, 40, 40])
    assert.equal(await encrypted(), 40)
    assert.deepEqual(fs.readdirSync(cwd), [])
  })
})
