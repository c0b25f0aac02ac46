'use strict'

const { copyFileSync, readdirSync, readFileSync } = require('node:fs')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { gzipSync } = require('node:zlib')

const root = path.join(__dirname, '..', '..', '..')

/** Measures the addon in MB: stripped if `strip` is installed, and gzipped. Null if it has not been built. */
function measureSize({ environment }) {
  const name = readdirSync(root).find((file) => file.endsWith('.node'))
  if (name === undefined) return null
  const copy = environment.file(name)
  copyFileSync(path.join(root, name), copy)
  const stripped = spawnSync('strip', [process.platform === 'darwin' ? '-x' : '-s', copy]).status === 0
  const bytes = readFileSync(copy)
  const megabytes = ({ length }) => Math.round(length / 1e4) / 100
  return { name, stripped, plain: megabytes(bytes), gzipped: megabytes(gzipSync(bytes, { level: 9 })) }
}

module.exports = { measureSize }
