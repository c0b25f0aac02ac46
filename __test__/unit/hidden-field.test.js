'use strict'

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { createHiddenField } = require('../../lib/hidden-field.js')

describe('a hidden field', () => {
  it('keeps a value for each object', () => {
    const field = createHiddenField()
    const [one, other] = [{}, {}]
    field.set(one, 1)
    field.set(other, 2)
    field.set(one, 3)
    assert.deepEqual([field.get(one), field.get(other), field.get({})], [3, 2, undefined])
  })

  it('is separate for each field', () => {
    const [one, other] = [createHiddenField(), createHiddenField()]
    const object = {}
    one.set(object, 1)
    assert.equal(other.get(object), undefined)
    other.set(object, 2)
    assert.equal(one.get(object), 1)
  })

  it('does not change what the app sees of the object', () => {
    const object = { user: 'ann' }
    createHiddenField().set(object, 1)
    assert.deepEqual(Reflect.ownKeys(object), ['user'])
    assert.equal(Object.getPrototypeOf(object), Object.prototype)
    assert.deepEqual(structuredClone(object), { user: 'ann' })
  })

  it('works with frozen objects, proxies, arrays, and functions', () => {
    const field = createHiddenField()
    const target = {}
    for (const object of [Object.freeze({}), new Proxy(target, {}), [], () => {}]) {
      field.set(object, 1)
      assert.equal(field.get(object), 1)
    }
    assert.equal(field.get(target), undefined)
  })

  it('gets a new value after the object was frozen', () => {
    const field = createHiddenField()
    const object = {}
    field.set(object, 1)
    field.set(Object.freeze(object), 2)
    assert.equal(field.get(object), 2)
  })

  it('has no value for what is not an object', () => {
    const field = createHiddenField()
    for (const value of [undefined, null, 1, 'text', Symbol('s')]) assert.equal(field.get(value), undefined)
  })
})
