'use strict'

const assert = require('node:assert/strict')
const { createDecipheriv, createHash, createHmac, hkdfSync } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { inflateRawSync } = require('node:zlib')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')

const page = fs.readFileSync(path.join(root, 'docs', 'security.md'), 'utf8')
const vectors = JSON.parse(page.match(/^```json\n(.+?)^```$/ms)[1])
const key = { id: vectors.key.id, secret: Buffer.from(vectors.key.key, 'base64') }
const prefix = 'sess:'
const sid = vectors.partitionKey.slice(prefix.length)
const encryption = { keys: [vectors.key] }

const derive = (purpose, salt, length) =>
  Buffer.from(hkdfSync('sha256', key.secret, salt, `dynamodb-session ${purpose}\x01${key.id}`, length))

function withLength(text) {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The text of a stored session, read as docs/security.md describes. */
function read(value, partitionKey, sortKey = '') {
  const [version, flags, idLength] = value
  assert.equal(version, 1)
  if (flags === 2) return inflateRawSync(value.subarray(18)).toString()
  assert.equal(value.subarray(3, 3 + idLength).toString(), key.id)
  const header = value.subarray(0, 3 + idLength + 32)
  const derived = derive('encryption', header.subarray(-32), 44)
  const decipher = createDecipheriv('aes-256-gcm', derived.subarray(0, 32), derived.subarray(32))
  decipher.setAAD(Buffer.concat([header, partitionKey, sortKey].map(withLength)))
  decipher.setAuthTag(value.subarray(-16))
  const plain = Buffer.concat([decipher.update(value.subarray(header.length, -16)), decipher.final()])
  return (flags === 3 ? inflateRawSync(plain) : plain).toString()
}

const hashOfUser = (user) =>
  createHmac('sha256', derive('user', '', 32))
    .update(user)
    .digest('base64url')
const hashOfId = (id) => `h1-${createHash('sha256').update(id).digest('base64url')}`

describe("Node's own crypto reads the test vectors of docs/security.md", () => {
  for (const { form, sortKey, value, text } of vectors.sessions) {
    test(form, () => assert.equal(read(Buffer.from(value, 'base64'), vectors.partitionKey, sortKey), text))
  }

  test('users', () => {
    for (const { user, hash } of vectors.users) assert.equal(hashOfUser(user), hash)
  })

  test('session IDs', () => {
    for (const { id, key } of vectors.ids) assert.equal(hashOfId(id), key)
  })

  test('all forms are among them', () => {
    const flags = vectors.sessions.map(({ value }) => Buffer.from(value, 'base64')[1])
    assert.deepEqual(flags.toSorted(), [1, 1, 2, 3])
    assert.ok(vectors.sessions.some(({ sortKey }) => sortKey))
  })
})

describe('the store follows docs/security.md', () => {
  const dynamodb = useDynamoDB()
  const sortKey = { hashKey: 'id', sortKey: 'sk' }
  const expires = { N: '4102444800' }

  /** A table with or without a sort key, and the options of a store on it. */
  async function newTable(hasSortKey) {
    if (!hasSortKey) return { table: await dynamodb.newTable() }
    return { table: await dynamodb.newTable(sortKey), ...sortKey }
  }

  for (const { form, sortKey: sk, value, text } of vectors.sessions) {
    test(`reads an item that is ${form}`, async () => {
      const options = await newTable(sk)
      const item = {
        id: { S: vectors.partitionKey },
        ...(sk && { sk: { S: sk } }),
        expires,
        sess: { B: Buffer.from(value, 'base64') }
      }
      await dynamodb.raw.putItem(options.table, item)
      const encrypts = Buffer.from(value, 'base64')[1] & 1
      const session = await dynamodb.store({ ...options, ...(encrypts && { encryption }) }).get(sid)
      assert.deepEqual(session, JSON.parse(text))
    })
  }

  const large = { cookie: {}, cart: Array(200).fill('apple') }
  for (const [form, flags, options] of [
    ['encrypted', 1, { encryption }],
    ['encrypted, with a sort key', 1, { encryption, ...sortKey }],
    ['encrypted and compressed', 3, { encryption, compression: { withEncryption: true } }],
    ['compressed', 2, { compression: true }]
  ]) {
    test(`writes an item that is ${form}`, async () => {
      const { table } = await newTable(options.sortKey)
      await dynamodb.store({ ...options, table }).set(sid, large)
      const { sk, sess } = await dynamodb.raw.read(table, {
        id: vectors.partitionKey,
        ...(options.sortKey && { sk: vectors.partitionKey })
      })
      const value = Buffer.from(sess.B)
      assert.equal(value[1], flags)
      assert.deepEqual(JSON.parse(read(value, vectors.partitionKey, sk?.S)), large)
    })
  }

  test('hashes the user and the session ID', async () => {
    const [{ user, hash }] = vectors.users
    const [{ id, key: hashedId }] = vectors.ids
    await dynamodb.store({ encryption, user: 'user', hashIds: true }).set(id, { user })
    const item = await dynamodb.item(hashedId)
    assert.deepEqual(item.user, { S: hash })
    assert.deepEqual(JSON.parse(read(Buffer.from(item.sess.B), item.id.S)), { user })
  })
})
