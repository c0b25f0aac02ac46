'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { ItemCodec, itemSize, sameAttributes } = require('../../lib/native/item-codec.js')
const addon = require('../../lib/native/loader.js')
const { readOptions } = require('../../lib/options.js')

const declarations = readFileSync(path.join(__dirname, '../../lib/native/native.d.ts'), 'utf8')

test('native.d.ts declares what the addon exports', () => {
  const declared = matches(/^export declare (?:const )?\w+ (\w+)/gm, declarations)
  assert.deepEqual(declared.toSorted(), Object.keys(addon).toSorted())
})

test('native.d.ts declares the methods of the classes', () => {
  for (const [, name, body] of declarations.matchAll(/^export declare class (\w+) \{\n(.*?)^\}/gms)) {
    const declared = new Set(['constructor', ...matches(/^ {2}(\w+)\(/gm, body)])
    assert.deepEqual(declared, new Set(Object.getOwnPropertyNames(addon[name].prototype)), name)
  }
})

function matches(pattern, text) {
  return [...text.matchAll(pattern)].map(([, name]) => name)
}

const json = new ItemCodec(readOptions({}))
const map = new ItemCodec(readOptions({ format: 'map', prefix: 'app:', hashKey: 'pk', sortKey: 'sk' }))

test('an item is read back as it was written, in both formats', () => {
  const session = { user: 'é', n: [1.5, null, { deep: true }] }
  for (const codec of [json, map]) {
    const item = codec.encode('a', session, 1_700_000_000, { extra: { SS: ['x'] } })
    assert.deepEqual(item.extra, { SS: ['x'] })
    const { id, session: read, expires, isExpired } = codec.decode(item)
    const expected = { id: 'a', session, expires: 1_700_000_000, isExpired: true }
    assert.deepEqual({ id, session: read, expires, isExpired }, expected)
  }
  assert.deepEqual(Object.keys(map.encode('a', {})), ['pk', 'sk', 'type', 'sess'])
  assert.deepEqual(map.encode('a', {}).sk, { S: 'app:a' })
  assert.deepEqual(map.key('a'), { pk: { S: 'app:a' }, sk: { S: 'app:a' } })
  assert.equal(json.decode(json.encode('a', {}, Math.ceil(Date.now() / 1000) + 60)).isExpired, false)
})

test('the parts that an item does not have are undefined', () => {
  const { isExpired, lacksKey, ...others } = json.decode({})
  assert.deepEqual([isExpired, lacksKey], [false, false])
  assert.deepEqual(new Set(Object.values(others)), new Set([undefined]))
  const { id, text, session } = json.decode({ id: { S: 'other:1' }, sess: { S: '[5]' } })
  assert.deepEqual([id, text, session], [undefined, '[5]', undefined])
})

test('an item that cannot be read or written causes an error with a code', () => {
  assert.throws(() => json.decode([]), { name: 'CorruptItemError', code: 'CorruptItemError' })
  assert.throws(() => itemSize({ a: 5 }), { code: 'CorruptItemError' })
  assert.throws(() => map.encode('a', { n: 1e300 }), { code: 'SerializationError', operation: 'PutItem' })
})

test('items are measured and compared as DynamoDB does', () => {
  assert.equal(itemSize({ a: { S: 'é' }, n: { N: '-123.5' } }), 1 + 2 + 1 + 3)
  assert.ok(sameAttributes({ a: { NS: ['1', '2'] } }, { a: { NS: ['2.0', '1'] } }))
  assert.ok(!sameAttributes({ a: { S: '1' } }, { a: { N: '1' } }))
})
