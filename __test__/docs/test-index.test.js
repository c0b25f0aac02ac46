'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { root } = require('../support/child')

const index = fs.readFileSync(path.join(root, 'docs', 'reliability-tests.md'), 'utf8')
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The source of a file that the index names: a JavaScript test file, or a Rust file. */
function readSource(file) {
  const candidates = [`__test__/${file}.test.js`, `${file}.rs`].map((name) => path.join(root, name))
  const found = candidates.find((name) => fs.existsSync(name))
  return found && fs.readFileSync(found, 'utf8')
}

/** Whether a source has this title of a suite or test, as a literal or as a template filled with words of the source. */
function hasTitle(source, title) {
  if (new RegExp(`\\bfn ${escape(title)}\\(`).test(source)) return true
  if (/\btest\(name,/.test(source) && source.includes(`'${title}': `)) return true
  for (const [, quote, given] of source.matchAll(/\b(?:describe|test)\(\s*(['`"])(.*?)\1,/gs)) {
    const pattern =
      quote === '`'
        ? given
            .split(/\$\{[^}]*\}+/)
            .map(escape)
            .join('(.+)')
        : escape(given)
    const found = title.match(new RegExp(`^${pattern}$`))
    if (found?.slice(1).every((filled) => filled.split(' ').every((word) => source.includes(word)))) return true
  }
  return false
}

test('every test listed in docs/reliability-tests.md exists', () => {
  const entries = [...index.matchAll(/`([\w-]+\/[\w/-]+) › ([^`]+)`/g)]
  assert.ok(entries.length > 50)
  const missing = entries.filter(([, file, titles]) => {
    const source = readSource(file)
    return source === undefined || !titles.split(' › ').every((title) => hasTitle(source, title))
  })
  assert.deepEqual(
    missing.map(([entry]) => entry),
    []
  )
})
