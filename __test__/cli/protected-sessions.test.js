'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runCli, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { encryptedWith, keyFile, sampleKeys } = require('../support/key-files')
const { newSession, newSid } = require('../support/sessions')

// The key files and hashed IDs of the commands other than keys and rewrite.

const dynamodb = useDynamoDB()

const [oldKey, newKey, otherKey] = sampleKeys('old', 'new', 'other')

const session = () => newSession({ passport: { user: 'ann' }, text: 'é🚀' })
const formsOf = async (table) => (await dynamodb.raw.items(table)).map(({ sess }) => Object.keys(sess)[0]).toSorted()

/** The result of the check of the encryption, and that of the `users`. */
async function checkEncryption(table, keys, ...args) {
  const command = ['doctor', '--table', table, '--keys', keys, ...args, '--json']
  const { code, json, stderr } = await runCli(command, { connection: dynamodb.connection })
  assert.ok(json, stderr)
  const check = (expected) => json.checks.find(({ name }) => name === expected)
  return { code, ...check('encryption'), users: check('users') }
}

describe('a key file', () => {
  test('show decrypts a session', async (t) => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table, hashIds: true, ...encryptedWith(newKey) }).set(sid, session())
    const show = (...args) =>
      runCli(['show', sid, '--table', table, '--hash-ids', ...args, '--json'], { connection: dynamodb.connection })
    const { code, json } = await show('--keys', keyFile(t, oldKey, newKey))
    assert.deepEqual([code, json.id, json.session.passport], [0, sid, { user: 'ann' }])
    for (const args of [[], ['--keys', keyFile(t, oldKey)]]) {
      const failed = await show(...args)
      assert.deepEqual([failed.code, failed.json.error.code], [1, 'EncryptionKeyError'])
      assert.match(failed.json.error.message, /encrypted under the key new/)
      assert.match(failed.json.error.todo, /--keys/)
    }
    const wrong = await show('--keys', keyFile(t, { ...newKey, key: oldKey.key }))
    assert.match(wrong.json.error.message, /the key new differs.*copied from a different session$/)
    assert.deepEqual([wrong.code, wrong.json.error.code], [1, 'CorruptItem'])
    assert.match(wrong.json.error.todo, /^check that the key file has the same keys as the app/)
    const raw = await show('--raw', '--keys', keyFile(t, newKey))
    assert.deepEqual([raw.code, Object.keys(raw.json.sess), /--keys has no effect/.test(raw.stderr)], [0, ['B'], true])
    const invalid = await show('--keys', keyFile(t))
    assert.deepEqual([invalid.code, invalid.json.error.code], [1, 'InvalidKeyFile'])
    const rm = ['rm', sid, '--table', table]
    assert.equal((await runCli(rm, { connection: dynamodb.connection })).code, 3)
    assert.equal((await runCli([...rm, '--hash-ids'], { connection: dynamodb.connection })).code, 0)
  })

  test('can be standard input', async () => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table, ...encryptedWith(newKey) }).set(sid, session())
    const show = (input) =>
      startCli(['show', sid, '--table', table, '--keys', '-', '--json'], { connection: dynamodb.connection, input })
        .ended
    const { code, json } = await show(JSON.stringify([newKey]))
    assert.deepEqual([code, json.session.text], [0, 'é🚀'])
    const invalid = await show(newKey.key)
    assert.deepEqual([invalid.code, invalid.json.error.code], [1, 'InvalidKeyFile'])
    assert.ok(!(invalid.stdout + invalid.stderr).includes(newKey.key))
  })

  test('stats counts encrypted sessions, and with keys those that cannot be read', async (t) => {
    const table = await dynamodb.newTable()
    await dynamodb.store({ table }).set(newSid(), session())
    await dynamodb.store({ table, ...encryptedWith(newKey) }).set(newSid(), session())
    const stats = (...args) =>
      runCli(['stats', '--table', table, ...args, '--json'], { connection: dynamodb.connection })
    const counts = ({ json }) => [json.sessions, json.encrypted, json.corrupt]
    assert.deepEqual(counts(await stats()), [2, 1, 0])
    assert.deepEqual(counts(await stats('--keys', keyFile(t, newKey))), [2, 1, 0])
    assert.deepEqual(counts(await stats('--keys', keyFile(t, oldKey))), [2, 1, 1])
  })

  test('doctor says which keys are in use', needs('timeToLive'), async (t) => {
    const table = dynamodb.newTableName()
    await dynamodb.store({ table }).createTable()
    const doctor = (...keys) => checkEncryption(table, keyFile(t, ...keys))
    const write = (keys, sid = newSid()) => dynamodb.store({ table, ...keys }).set(sid, session())
    await dynamodb.putItem('expired', { sess: { S: '{}' }, expires: { N: '1' } }, { table })
    const [plain, old] = [newSid(), newSid()]
    await write({}, plain)
    await write(encryptedWith(oldKey), old)
    await write(encryptedWith(newKey))
    const mixed = await doctor(newKey, oldKey)
    assert.deepEqual([mixed.code, mixed.status], [0, 'ok'])
    assert.match(mixed.detail, /^all live sessions: 1 plain, /)
    for (const part of ['1 encrypted under old', '1 encrypted under new']) assert.ok(mixed.detail.includes(part))
    assert.match(mixed.todo, /still needs acceptPlain and the key old; .*rewrite .*--keys \S+ --accept-plain$/)
    const missing = await doctor(newKey)
    assert.deepEqual([missing.code, missing.status], [1, 'failed'])
    assert.match(missing.detail, /the key file does not contain old$/)
    const wrong = await doctor(newKey, { ...oldKey, key: otherKey.key })
    assert.deepEqual([wrong.code, wrong.status], [1, 'failed'])
    assert.match(wrong.detail, /cannot be decrypted: 1 under old$/)
    const both = await doctor({ ...oldKey, key: otherKey.key })
    assert.match(both.detail, /; the key file does not contain new; cannot be decrypted: 1 under old$/)
    assert.match(both.todo, /^add the missing key .*; check that the key file /)
    const junk = sampleKeys(...Array.from({ length: 25 }, (_, i) => `junk${i}`))
    const sids = junk.map(() => newSid())
    for (const [i, key] of junk.entries()) await write(encryptedWith(key), sids[i])
    await dynamodb.putItem('no-session', {}, { table })
    const many = await doctor(newKey, oldKey)
    assert.match(many.detail, /: 1 plain, .*, 17 more; the key file does not contain (junk\d+, ){10}15 more$/)
    for (const sid of [...sids, 'no-session']) await dynamodb.store({ table }).destroy(sid)
    for (const sid of [plain, old]) await write(encryptedWith(newKey), sid)
    const done = await doctor(newKey, oldKey)
    assert.deepEqual([done.status, done.detail], ['ok', 'all live sessions: 0 plain, 3 encrypted under new'])
    assert.match(
      done.todo,
      /sessions no longer need acceptPlain or the key old; .*user option.*doctor .*--user <path>$/
    )
    for (let i = 0; i < 200; i++) await write(encryptedWith(newKey))
    const sample = await doctor(newKey, oldKey)
    assert.match(sample.detail, /^a sample of live sessions/)
    assert.match(sample.todo, /sessions no longer need acceptPlain or the key old; .*doctor .*--user <path>$/)
    const { todo } = await checkEncryption(table, keyFile(t, newKey, oldKey), '--user', 'passport.usr')
    assert.match(todo, /^keep acceptPlain and the key old until /)
  })

  test('doctor says under which keys users are hashed', needs('timeToLive'), async (t) => {
    const table = dynamodb.newTableName()
    await dynamodb.store({ table }).createTable()
    const attributes = { user: 'owner' }
    const write = (sid, options) => dynamodb.store({ table, attributes, ...options }).set(sid, session())
    const [one, two] = [newSid(), newSid()]
    const user = 'passport.user'
    const keys = keyFile(t, newKey, oldKey)
    const doctor = (path, ...args) => checkEncryption(table, keys, '--user', path, '--user-attribute', 'owner', ...args)
    for (const sid of [one, two]) await write(sid, { user, ...encryptedWith(oldKey) })
    const owners = async () => (await dynamodb.raw.items(table)).map(({ owner }) => owner?.S)
    const setOwners = async (...values) => {
      for (const [i, { id, owner: _, ...item }] of (await dynamodb.raw.items(table)).entries()) {
        await dynamodb.raw.putItem(table, { id, ...item, ...(values[i] && { owner: { S: values[i] } }) })
      }
    }
    const [hash] = await owners()

    // Only the sessions are encrypted under the new key.
    const rewriting = ['rewrite', '--table', table, '--keys', keys, '--user-attribute', 'owner']
    assert.equal((await runCli(rewriting, { connection: dynamodb.connection })).code, 0)
    const old = await doctor(user)
    assert.deepEqual([old.code, old.status, old.users.status, old.users.todo], [0, 'ok', 'ok', null])
    assert.equal(old.users.detail, 'all live sessions: 0 plain, 2 hashed under old, 0 without a user')
    assert.match(old.todo, /^the app still needs the key old; .*rewrite .*--user passport.user$/)

    await setOwners(hash, 'ann')
    const plain = await doctor(user)
    assert.equal(plain.users.detail, 'all live sessions: 1 plain, 1 hashed under old, 0 without a user')
    assert.match(plain.todo, /^the app still needs acceptPlain and the key old; .*--user passport.user$/)

    await setOwners('bob')
    const missed = await doctor(user)
    assert.deepEqual([missed.code, missed.users.status], [0, 'warning'])
    assert.match(missed.users.detail, /; destroyAllOf misses 2, which the attribute owner does not contain$/)
    assert.match(missed.users.todo, /^to write the users that are missing, run: .*rewrite .*--user passport.user$/)
    assert.match(missed.todo, /^keep acceptPlain and the key old until /)

    for (const path of ['passport.usr', 'passport']) {
      const { users, todo } = await doctor(path)
      assert.deepEqual(
        [users.status, /1 without a user; 1 with the attribute owner/.test(users.detail)],
        ['warning', true]
      )
      assert.match(users.todo, /^check --user; /)
      assert.match(todo, /^keep /)
    }
    await setOwners()
    const nowhere = await doctor('passport.usr')
    assert.deepEqual([nowhere.users.status, nowhere.users.todo.slice(0, 12)], ['warning', 'check --user'])

    await write(newSid(), { ...encryptedWith(newKey) })
    assert.equal((await runCli([...rewriting, '--user', user], { connection: dynamodb.connection })).code, 0)
    await dynamodb.store({ table, ...encryptedWith(newKey) }).set(newSid(), { cookie: {} })
    const done = await doctor(user)
    assert.equal(done.users.detail, 'all live sessions: 0 plain, 3 hashed under new, 1 without a user')
    assert.deepEqual([done.users.status, done.users.todo], ['ok', null])
    assert.match(done.todo, /acceptPlain and the key old can go$/)
    for (let i = 0; i < 200; i++) await write(newSid(), { user, ...encryptedWith(newKey) })
    const sample = await doctor(user)
    assert.match(sample.users.detail, /^a sample of live sessions/)
    assert.match(sample.todo, /to check the whole table first, run: .*rewrite .*--user passport.user --dry-run$/)
    const without = await runCli(['doctor', '--table', table, '--user', user], { connection: dynamodb.connection })
    assert.deepEqual([without.code, /--user requires --keys/.test(without.stderr)], [2, true])
  })
})

describe('migrate with protected sessions', () => {
  const migrate = (from, to, ...args) =>
    runCli(['migrate', '--from-table', from, '--to-table', to, '--rate', '1000', ...args, '--json'], {
      connection: dynamodb.connection
    })

  test('moves a table to hashed IDs, and encrypts the copies', async (t) => {
    const [table, target] = [await dynamodb.newTable(), await dynamodb.newTable()]
    const sids = [newSid(), newSid(), newSid()]
    for (const sid of sids) await dynamodb.store({ table }).set(sid, session())
    await dynamodb.store({ table }).set('short', session())
    await dynamodb.store({ table }).set(`h1-${'x'.repeat(43)}`, session())
    const keys = keyFile(t, newKey)
    const args = ['--to-hash-ids', '--to-keys', keys, '--to-user', 'passport.user']
    const { code, json } = await migrate(table, target, ...args)
    assert.deepEqual([code, json.copied, json.failed], [1, 3, 2])
    assert.deepEqual(Object.values(json.reasons), [1, 1])
    assert.match(Object.keys(json.reasons).join(), /shorter than 16 bytes/)
    const store = dynamodb.store({ table: target, hashIds: true, ...encryptedWith(newKey) })
    for (const sid of sids) assert.deepEqual((await store.get(sid)).passport, { user: 'ann' })
    const items = await dynamodb.raw.items(target)
    for (const { id, user, sess } of items) {
      assert.match(id.S, /^sess:h1-[\w-]{43}$/)
      assert.match(user.S, /^[\w-]{43}$/)
      assert.ok(sess.B)
    }
    for (const sid of ['short', `h1-${'x'.repeat(43)}`]) await dynamodb.store({ table }).destroy(sid)
    const verified = await migrate(table, target, ...args, '--verify-only')
    assert.deepEqual([verified.code, verified.json.same], [0, 3])
    assert.deepEqual((await migrate(table, target, ...args)).json.same, 3)
    assert.deepEqual(await dynamodb.raw.items(target), items)
    await store.destroy(sids[0])
    assert.deepEqual((await migrate(table, target, ...args, '--verify-only')).json.missing, 1)
  })

  test('moves sessions to hashed IDs within a table', async () => {
    const table = await dynamodb.newTable()
    const sid = newSid()
    await dynamodb.store({ table }).set(sid, session())
    const first = await migrate(table, table, '--to-hash-ids')
    assert.deepEqual([first.code, first.json.copied], [0, 1])
    const again = await migrate(table, table, '--to-hash-ids')
    assert.deepEqual([again.code, again.json.same, again.json.foreign, again.json.failed], [0, 1, 1, 0])
    assert.equal((await dynamodb.store({ table, hashIds: true }).get(sid)).text, 'é🚀')
    assert.equal((await dynamodb.raw.items(table)).length, 2)
  })

  test('copies hashed IDs only to hashed IDs', async () => {
    const [table, target] = [await dynamodb.newTable(), await dynamodb.newTable()]
    const sid = newSid()
    await dynamodb.store({ table, hashIds: true }).set(sid, session())
    const refused = await migrate(table, target, '--from-hash-ids')
    assert.deepEqual([refused.code, refused.json.error.code], [2, 'UsageError'])
    const args = ['--from-hash-ids', '--to-hash-ids', '--to-prefix', 'app:']
    assert.equal((await migrate(table, target, ...args)).json.copied, 1)
    assert.equal((await dynamodb.store({ table: target, hashIds: true, prefix: 'app:' }).get(sid)).text, 'é🚀')
  })

  test('encrypts under different keys, decrypts, and fails without the key', async (t) => {
    const [table, target, plain] = await Promise.all([1, 2, 3].map(() => dynamodb.newTable()))
    const sid = newSid()
    await dynamodb.store({ table, ...encryptedWith(oldKey) }).set(sid, session())
    const [from, to] = [keyFile(t, oldKey), keyFile(t, newKey)]
    const failed = await migrate(table, target)
    assert.deepEqual([failed.code, failed.json.failed], [1, 1])
    assert.match(Object.keys(failed.json.reasons)[0], /encrypted under the key old/)
    assert.equal((await migrate(table, target, '--from-keys', from, '--to-keys', to)).json.copied, 1)
    assert.equal((await dynamodb.store({ table: target, ...encryptedWith(newKey) }).get(sid)).text, 'é🚀')
    const decrypted = await migrate(table, plain, '--from-keys', from, '--to-layout', 'pwrdrvr')
    assert.equal(decrypted.json.copied, 1)
    assert.match(decrypted.stderr, /the copies are not encrypted/)
    const [{ sess }] = await dynamodb.raw.items(plain)
    assert.deepEqual(sess.M.text, { S: 'é🚀' })
  })

  test('hashes the user under the key of the target, and warns about users that it copies unchanged', async (t) => {
    const [table, target, expected] = await Promise.all([1, 2, 3].map(() => dynamodb.newTable()))
    const sid = newSid()
    const store = (name, key) => dynamodb.store({ table: name, user: 'passport.user', ...encryptedWith(key) })
    await store(table, oldKey).set(sid, session())
    await store(expected, newKey).set(sid, session())
    const userIn = async (name) => (await dynamodb.item(sid, { table: name })).user
    const args = ['--from-keys', keyFile(t, oldKey), '--to-keys', keyFile(t, newKey)]
    const copied = await migrate(table, target, ...args)
    assert.deepEqual([copied.code, copied.json.keptUser, await userIn(target)], [0, 1, await userIn(table)])
    const wrong = await migrate(table, target, ...args, '--to-user', 'passport.usr', '--dry-run')
    assert.deepEqual([wrong.code, wrong.json.withoutUser, wrong.json.keptUser], [0, 1, 1])
    assert.match(wrong.stderr, /^no user was found at passport.usr in 1 of these .*check --to-user/)
    assert.match(copied.stderr, /the attribute user was copied unchanged in 1 of .*--to-user/)
    const hashed = await migrate(table, target, ...args, '--to-user', 'passport.user', '--overwrite')
    assert.deepEqual([hashed.code, hashed.json.copied, hashed.json.withoutUser, hashed.stderr], [0, 1, 0, ''])
    assert.deepEqual(await userIn(target), await userIn(expected))
  })

  test('encrypts plain sessions of an encrypted table only if the app accepts them', async (t) => {
    const [table, target] = [await dynamodb.newTable(), await dynamodb.newTable()]
    await dynamodb.store({ table }).set(newSid(), session())
    const keys = ['--from-keys', keyFile(t, oldKey), '--to-keys', keyFile(t, newKey)]
    const refused = await migrate(table, target, ...keys)
    assert.deepEqual([refused.code, refused.json.failed, await dynamodb.raw.items(target)], [1, 1, []])
    assert.match(Object.keys(refused.json.reasons).join(), /^plain: to encrypt it too, set --from-accept-plain, /)
    assert.equal((await migrate(table, target, ...keys, '--from-accept-plain')).json.copied, 1)
  })

  test('does not take a plain copy for an encrypted one', async (t) => {
    const [table, target] = [await dynamodb.newTable(), await dynamodb.newTable()]
    await dynamodb.store({ table }).set(newSid(), session())
    assert.equal((await migrate(table, target)).code, 0)
    const args = ['--to-keys', keyFile(t, newKey)]
    const { code, json } = await migrate(table, target, ...args)
    assert.deepEqual([code, json.different], [1, 1])
    assert.equal((await migrate(table, target, ...args, '--overwrite')).json.copied, 1)
    assert.deepEqual(await formsOf(target), ['B'])
  })
})
