'use strict'

// Publishes an empty version 0.0.0 of every package of a release that does not exist on npm yet. npm can trust a workflow
// only for packages that exist, so this comes before the first release. All arguments go to `npm publish`; `--list` only
// prints the names.
//   node tools/release/claim-names.js --access public

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseTriple } = require('@napi-rs/cli')
const { extraPackages, manifestOf } = require('./extra-packages')
const { name: main, napi, license } = require('../../package.json')

const platforms = napi.targets.map((target) => `${napi.packageName}-${parseTriple(target).platformArchABI}`)
const names = [...platforms, main, ...extraPackages().map((folder) => manifestOf(folder).name)]
const shell = process.platform === 'win32'

function exists(name) {
  try {
    execFileSync('npm', ['view', name, 'name'], { stdio: ['ignore', 'ignore', 'pipe'], shell })
    return true
  } catch (error) {
    // Any other error, such as a registry that is down, does not mean that the name is free.
    if (error.stderr.includes('E404')) return false
    throw error
  }
}

function claim(name, options) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-name-'))
  try {
    const description = 'Reserves the name for the first release.'
    const manifest = { name, version: '0.0.0', description, license }
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
    execFileSync('npm', ['publish', folder, ...options], { stdio: 'inherit', shell })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

const options = process.argv.slice(2)
if (options.includes('--list')) console.log(names.join('\n'))
else {
  for (const name of names) {
    if (exists(name)) console.log(`The registry has ${name}.`)
    else claim(name, options)
  }
}
