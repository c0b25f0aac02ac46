'use strict'

// Runs the app on this machine with the package of this repository. In your own copy, run `npm install && npm run dev`.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const modules = path.join(__dirname, 'node_modules')
const settings = { cwd: __dirname, stdio: 'inherit', shell: process.platform === 'win32' }

// Next.js is too large for the packages of the root.
if (!fs.existsSync(path.join(modules, 'next'))) {
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', ['install', ...options, '--install-links', root], settings)
  if (status !== 0) throw new Error('npm could not install Next.js. See its output above.')
}

// Next.js bundles a linked package in spite of `serverExternalPackages`, so the app gets a copy.
const { files } = require(path.join(root, 'package.json'))
const addons = fs.readdirSync(root).filter((name) => name.endsWith('.node'))
for (const name of ['package.json', ...files, ...addons]) {
  fs.cpSync(path.join(root, name), path.join(modules, 'dynamodb-session', name), { recursive: true })
}

spawn('npm', ['run', '--silent', 'dev'], settings).on('exit', (code) => {
  process.exitCode = code ?? 1
})
