'use strict'

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { describe, test } = require('node:test')
const { deflateRawSync } = require('node:zlib')
const { itemSize } = require('../../lib/native/item-codec')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertStoreError } = require('../support/errors')
const { needs } = require('../support/features')
const { openRequest } = require('../support/parallel-app')
const { newKey, newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()
const native = entries[0]
const keys = [newKey()]

/** The largest item, in bytes. */
const LARGEST = 400 * 1024

const open = (t, entry, options) => openEntry(t, dynamodb, entry, { compression: true, ...options })

/** The session attribute of an item. */
const sessionOf = ({ sess, session }) => sess ?? session

/** The flags of a session in binary form, or 0. */
const flagsOf = (item) => sessionOf(item).B?.[1] ?? 0

/** The write units of an item, as the server counts them. For maps, local servers count less than DynamoDB documents. */
async function unitsOf(table, item) {
  if (sessionOf(item)?.M !== undefined) return Math.ceil(itemSize(item) / 1024)
  const put = { TableName: table, Item: item, ReturnConsumedCapacity: 'TOTAL' }
  return (await dynamodb.raw.sdk.putItem(put)).ConsumedCapacity.CapacityUnits
}

/** The length of the text with which an item first takes more than this many write units. */
async function lengthBeyond(units, unitsWith) {
  let [below, beyond] = [0, units * 1024 + 1]
  while (beyond - below > 1) {
    const middle = (below + beyond) >> 1
    if ((await unitsWith(middle)) > units) beyond = middle
    else below = middle
  }
  return beyond
}

/** Sets a session and returns its item. */
async function write(store, read, data) {
  const sid = newSid()
  await store.set(sid, newSession(data), 60_000)
  return { sid, item: await read(sid) }
}

/** What an app put into a session. */
function dataOf({ cookie: _cookie, updated: _updated, lastModified: _lastModified, ...data }) {
  return data
}

for (const entry of entries) {
  describe(`the option compression of ${entry.name}`, () => {
    const options = {
      'without encryption': [{}, undefined, 2],
      'with encryption': [{ encryption: { keys }, compression: { withEncryption: true } }, false, 3]
    }
    for (const [name, [more, plainCompression, flags]] of Object.entries(options)) {
      test(
        `compresses a session exactly if it takes more than one write unit otherwise, ${name}`,
        needs('itemSize'),
        async (t) => {
          const { store, create, read, table } = await open(t, entry, more)
          const plain = create({ compression: plainCompression })
          for (const letter of ['x', 'é', '🚀']) {
            const data = (length) => ({ a: 1.5, list: [1, 'two'], text: letter.repeat(length) })
            const unitsWith = async (length) => unitsOf(table, (await write(plain, read, data(length))).item)
            const beyond = await lengthBeyond(1, unitsWith)
            // A time that ends with a zero takes a byte less.
            for (const [length, isCompressed] of [
              [beyond - 4, false],
              [beyond + 3, true],
              [beyond + 5000, true]
            ]) {
              const { sid, item } = await write(store, read, data(length))
              assert.equal((flagsOf(item) & 2) === 2, isCompressed, `${length} times ${letter}`)
              if (isCompressed) assert.equal(flagsOf(item), flags)
              if (isCompressed) assert.equal(await unitsOf(table, item), 1)
              assert.deepEqual(dataOf(await store.get(sid)), data(length))
            }
          }
        }
      )
    }

    test('compresses a session only if that saves a write unit', async (t) => {
      const { store, create, read, table } = await open(t, entry)
      const plain = create({ compression: undefined })
      const noise = randomBytes(6000).toString('base64')
      for (let length = 800; length < noise.length; length += 97) {
        const data = { noise: noise.slice(0, length), text: 'x'.repeat(length % 700) }
        const units = await unitsOf(table, (await write(plain, read, data)).item)
        const { sid, item } = await write(store, read, data)
        if (flagsOf(item) === 2) {
          assert.ok((await unitsOf(table, item)) < units, `${length} bytes of noise`)
        } else {
          const deflated = deflateRawSync(JSON.stringify(newSession(data)), { level: 1 })
          // The library of the addon compresses a little less than zlib.
          const least = Math.ceil((deflated.length * 1.1 + 250) / 1024)
          assert.ok(least >= units, `${length} bytes of noise, ${units} units instead of ${least}`)
        }
        assert.deepEqual(dataOf(await store.get(sid)), data)
      }
    })

    test('leaves a session that cannot be compressed as it is', async (t) => {
      const { store, create, read } = await open(t, entry)
      const plain = create({ compression: undefined })
      for (const size of [10, 700, 1300]) {
        const data = { token: randomBytes(size).toString('base64').slice(0, size) }
        const { sid, item } = await write(store, read, data)
        const { item: expected } = await write(plain, read, data)
        assert.deepEqual(Object.keys(sessionOf(item)), Object.keys(sessionOf(expected)), `${size} bytes`)
        assert.deepEqual(dataOf(await store.get(sid)), data)
      }
    })

    test('stores without it read a compressed session, and write it as they do', async (t) => {
      const { store, create, read } = await open(t, entry)
      const other = create({ compression: undefined })
      const [framework] = entry.frameworks
      const text = 'Zoë 🚀 '.repeat(2000)
      const { sid, item } = await write(store, read, { text })
      assert.equal(flagsOf(item), 2)
      assert.equal((await other.get(sid)).text, text)
      const request = await openRequest(other, sid, framework)
      request.session.a = 1
      await request.save()
      assert.equal(sessionOf(await read(sid)).B, undefined)
      const back = await openRequest(store, sid, framework)
      assert.deepEqual([back.session.text, back.session.a], [text, 1])
      back.session.a = 2
      await back.save()
      assert.equal(flagsOf(await read(sid)), 2)
      assert.equal((await other.get(sid)).a, 2)
    })

    test('a touch moves the expiry of a compressed session, which stays compressed', async (t) => {
      if (!entry.frameworks.includes('express')) return
      const own = entry.name.endsWith('/dynamodb-store') ? { touchInterval: 0 } : { touchAfter: 0 }
      const { store, read } = await open(t, entry, own)
      const { sid, item } = await write(store, read, { text: 'x'.repeat(5000) })
      await store.touch(sid, newSession({ text: 'x'.repeat(5000) }, 600_000))
      const touched = await read(sid)
      assert.deepEqual(sessionOf(touched), sessionOf(item))
      assert.ok(Number(touched.expires.N) > Number(item.expires.N) + 500)
    })

    test('a session may have 400 KB before it is compressed, and no more', async (t) => {
      const { store, read } = await open(t, entry)
      const corrupt = collectEvents(store, 'corrupt')
      const text = 'x'.repeat(LARGEST - 600)
      const { sid, item } = await write(store, read, { text })
      assert.equal(flagsOf(item), 2)
      assert.equal((await store.get(sid)).text, text)
      const other = newSid()
      const error = await store.set(other, newSession({ text: 'x'.repeat(LARGEST) }), 60_000).catch((error) => error)
      assertStoreError(error, { code: 'ValidationException', operation: 'PutItem' })
      assert.equal(await read(other), undefined)
      assert.deepEqual(corrupt, [])
    })
  })
}

describe('compressed sessions', () => {
  test('are merged', async (t) => {
    for (const framework of native.frameworks.slice(0, 2)) {
      const { store, read } = await open(t, native)
      const { sid } = await write(store, read, { text: 'x'.repeat(3000), _maxAge: 3_600_000 })
      const requests = [await openRequest(store, sid, framework), await openRequest(store, sid, framework)]
      for (const [i, { session, save }] of requests.entries()) {
        session[`field${i}`] = i
        await save()
      }
      const { field0, field1 } = await store.get(sid)
      assert.deepEqual([field0, field1], [0, 1])
      assert.equal(store.stats().merges, 1)
      assert.equal(flagsOf(await read(sid)), 2)
    }
  })

  test('have different bytes at each write', async (t) => {
    const { store, read } = await open(t, native)
    const session = newSession({ text: 'x'.repeat(3000) })
    const sid = newSid()
    await store.set(sid, session)
    const first = sessionOf(await read(sid)).B
    await store.set(sid, session)
    assert.notDeepEqual(sessionOf(await read(sid)).B, first)
  })

  test('are listed by all', async (t) => {
    for (const entry of entries.slice(0, 2)) {
      const { store, read } = await open(t, entry)
      const { sid } = await write(store, read, { text: 'x'.repeat(3000) })
      const [session, ...others] = await store.all()
      assert.deepEqual(others, [])
      assert.equal(session.text.length, 3000)
      assert.deepEqual(await store.ids(), [sid])
    }
  })

  test('share their size with the other attributes of the item', async (t) => {
    // Whether a session fits into a unit depends on the key and on all attributes.
    const [long, attributes] = ['p'.repeat(300), { session: 's'.repeat(50), expires: 'e'.repeat(50) }]
    for (const options of [
      { prefix: long },
      { attributes },
      { sortKey: 'sk', prefix: 'p'.repeat(99) },
      { user: 'userId', attributes: { user: 'u'.repeat(100) } },
      { maxLifetime: 100, attributes: { created: 'c'.repeat(100) } },
      {
        specialKeys: [
          { name: 'role', type: 'S' },
          { name: 'count', type: 'N' }
        ]
      },
      { hashIds: true, prefix: long }
    ]) {
      const { store, create, table } = await open(t, native, options)
      const plain = create({ compression: undefined })
      const data = (length) => ({
        userId: 'u'.repeat(99),
        role: 'r'.repeat(99),
        count: 123_456,
        text: 'x'.repeat(length)
      })
      const written = async (target, length) => {
        const sid = newSid()
        await target.set(sid, newSession(data(length)))
        const [item] = await dynamodb.raw.items(table)
        const units = await unitsOf(table, item)
        await target.destroy(sid)
        await plain.clear()
        return { item, units }
      }
      const beyond = await lengthBeyond(1, async (length) => (await written(plain, length)).units)
      const name = options.attributes?.session ?? 'sess'
      const isBinary = async (length) => (await written(store, length)).item[name].B !== undefined
      assert.deepEqual([await isBinary(beyond - 1), await isBinary(beyond)], [false, true], JSON.stringify(options))
    }
  })
})
