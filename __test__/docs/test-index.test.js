'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { root } = require('../support/child')

const page = fs.readFileSync(path.join(root, 'docs', 'reliability.md'), 'utf8')
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The source that a name of the page stands for. */
function sourceOf(file) {
  const candidates = [`__test__/${file}.test.js`, `core/tests/${file}.rs`, `${file}.rs`]
  return candidates.map((name) => path.join(root, name)).filter((name) => fs.existsSync(name))
}

/** Whether a source has a test of this title: as it stands there, or filled in with words that stand there too. */
function hasTest(source, title) {
  if (new RegExp(`\\bfn ${escape(title)}\\(`).test(source)) return true
  if (/\btest\(name,/.test(source) && source.includes(`'${title}': `)) return true
  for (const [, quote, given] of source.matchAll(/\btest\(\s*(['`"])(.*?)\1,/gs)) {
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

test('every test that docs/reliability.md names is there', () => {
  const names = [...page.matchAll(/`([\w/-]+) › ([^`]+)`/g)]
  assert.ok(names.length > 50)
  const missing = names.filter(([, file, title]) => {
    return !sourceOf(file).some((source) => hasTest(fs.readFileSync(source, 'utf8'), title))
  })
  assert.deepEqual(
    missing.map(([name]) => name),
    []
  )
})
