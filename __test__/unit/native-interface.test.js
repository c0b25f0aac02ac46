'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const addon = require('../../lib/native/loader.js')

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
