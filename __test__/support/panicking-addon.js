'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')

/** An addon with an operation that panics. The released addon does not have it. */
const panickingAddon = path.join(target, 'panicking.node')

/** Builds that addon. */
function build() {
  const { status } = spawnSync('cargo', ['build', '--package', 'dynamodb-session', '--features', 'panicking'], {
    cwd: root,
    stdio: 'inherit'
  })
  if (status !== 0) throw new Error('cargo could not build the addon that panics')
  const names = ['libdynamodb_session.so', 'libdynamodb_session.dylib', 'dynamodb_session.dll']
  const built = names.map((name) => path.join(target, 'debug', name)).find((file) => fs.existsSync(file))
  fs.copyFileSync(built, panickingAddon)
}

if (require.main === module) build()

module.exports = { panickingAddon }
