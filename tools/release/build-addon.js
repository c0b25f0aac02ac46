'use strict'

// Builds the addon of a release into the root of the repository. Rust writes the paths of sources into panic messages, so
// this script replaces the ones of this machine. All arguments go to `napi build`:
//   node tools/release/build-addon.js --target x86_64-unknown-linux-gnu --use-napi-cross

const { execFileSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
// RUSTFLAGS has no quotes: every space separates two flags.
const spaced = [root, cargoHome].find((folder) => folder.includes(' '))
if (spaced)
  throw new Error(`${spaced} contains a space. Move the repository, or set CARGO_HOME, to a path without spaces.`)

const flags = [
  `--remap-path-prefix=${root}=dynamodb-session`,
  `--remap-path-prefix=${path.join(cargoHome, 'registry', 'src')}=crates`
]

// In a folder of its own, so that builds with and without these flags keep their caches.
const options = ['--target-dir', path.join('target', 'release-addons'), ...process.argv.slice(2)]
execFileSync('npm', ['run', 'build', '--', ...options], {
  cwd: root,
  env: { ...process.env, RUSTFLAGS: [process.env.RUSTFLAGS, ...flags].filter(Boolean).join(' ') },
  shell: process.platform === 'win32',
  stdio: 'inherit'
})
