'use strict'

// Programs from npm, such as other versions of Node.js. They are installed without scripts and cached across runs.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')

const cache = path.join(__dirname, '..', '..', 'node_modules', '.cache', 'package-tests')
const system = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** For each program, what npm installs, and its file or folder in node_modules. */
const programs = {
  node20: [`node20@npm:node-${system}@20`, 'node20/bin/node'],
  node22: [`node22@npm:node-${system}@22`, 'node22/bin/node'],
  node24: [`node24@npm:node-${system}@24`, 'node24/bin/node'],
  bun: ['bun@1', `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`],
  deno: ['deno@2', `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/deno`],
  npm10: ['npm10@npm:npm@10', 'npm10/bin/npm-cli.js'],
  npm11: ['npm11@npm:npm@11', 'npm11/bin/npm-cli.js'],
  pnpm: ['pnpm@^10', 'pnpm/bin/pnpm.cjs'],
  pnpm12: [`@pnpm/exe.${process.platform}-${process.arch}@12`, `@pnpm/exe.${process.platform}-${process.arch}/pnpm`],
  yarn: ['@yarnpkg/cli-dist@4', '@yarnpkg/cli-dist/bin/yarn.js'],
  yarn1: ['yarn1@npm:yarn@1', 'yarn1/bin/yarn.js'],
  verdaccio: ['verdaccio@6', 'verdaccio']
}

// verdaccio asks for a tag of node-fetch that mirrors of the registry may not have.
const overrides = { 'node-fetch': '^2.7.0' }

function programPath(name) {
  return path.join(cache, 'node_modules', programs[name][1])
}

/** Installs the programs that are missing. */
async function installPrograms(names) {
  const missing = names.filter((name) => !fs.existsSync(programPath(name)))
  if (!missing.length) return
  fs.mkdirSync(cache, { recursive: true })
  const file = path.join(cache, 'package.json')
  const manifest = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}
  fs.writeFileSync(file, JSON.stringify({ ...manifest, overrides }))
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', ...missing.map((name) => programs[name][0])]
  await promisify(execFile)('npm', ['install', ...options], { cwd: cache, shell: process.platform === 'win32' })
}

module.exports = { installPrograms, programPath }
