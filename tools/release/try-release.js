'use strict'

// Installs a release into a new project, as a user does, and runs part of the suite on the installed package, against
// dynalite. Needs Node.js, npm, and the devDependencies, but neither Rust nor a shell.
//   node tools/release/try-release.js <folder with the tarballs, or a published version> [tests, such as contract/items]

const assert = require('node:assert/strict')
const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { packedName } = require('./check-release')
const { name, napi, version } = require('../../package.json')

const root = path.join(__dirname, '..', '..')
const all = ['close', 'errors', 'frameworks', 'items', 'process-exit', 'scan', 'touch', 'worker-threads']
  .map((name) => `contract/${name}`)
  .concat('aws/tls')

function tryRelease(release, suite) {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-try-')))
  try {
    const installed = install(path.join(directory, 'project'), release)
    // One level above the project, where the package finds them and npm does not.
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'), 'junction')
    return runSuite(installed, suite)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** npm chooses the addon by operating system, CPU, and C library. */
function install(project, release) {
  fs.mkdirSync(project)
  const local = fs.existsSync(release)
  const specs = local ? localSpecs(path.resolve(release)) : { dependencies: { [name]: release } }
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ private: true, ...specs }))
  const options = ['--no-audit', '--no-fund', '--omit=peer', ...(local ? ['--offline'] : [])]
  const settings = { cwd: project, stdio: 'inherit', shell: process.platform === 'win32' }
  execFileSync('npm', ['install', ...options], settings)
  if (!local) execFileSync('npm', ['audit', 'signatures'], settings)

  const modules = path.join(project, 'node_modules')
  const scope = path.dirname(napi.packageName)
  const addons = fs.readdirSync(path.join(modules, scope))
  console.log(`npm installed ${name} and ${scope}/${addons.join(', ')}.`)
  const installed = fs.readdirSync(modules).filter((it) => !it.startsWith('.'))
  assert.deepEqual(installed.sort(), [scope, name], 'a release installs only its own packages')
  assert.equal(addons.length, 1, 'a release installs one addon')
  return path.join(modules, name)
}

function localSpecs(folder) {
  const ours = [`${name}-${version}.tgz`, `${packedName(napi.packageName)}-`]
  const tarballs = fs.readdirSync(folder).filter((file) => ours.some((start) => file.startsWith(start)))
  const nameOf = (file) =>
    file.slice(0, -`-${version}.tgz`.length).replace(packedName(napi.packageName), napi.packageName)
  const specs = tarballs.map((file) => [nameOf(file), `file:${path.join(folder, file)}`])
  const { [name]: main, ...optionalDependencies } = Object.fromEntries(specs)
  return { dependencies: { [name]: main }, optionalDependencies }
}

/** Copies the tests into the installed package, so that they load it like a checkout. */
function runSuite(installed, suite) {
  fs.cpSync(path.join(root, '__test__'), path.join(installed, '__test__'), { recursive: true })
  fs.cpSync(path.join(root, 'tools', 'local-dynamodb'), path.join(installed, 'tools', 'local-dynamodb'), {
    recursive: true
  })
  const files = suite.map((subject) => path.join('__test__', `${subject}.test.js`))
  const env = { ...process.env, DYNAMODB: 'dynalite' }
  return spawnSync(process.execPath, ['--test', ...files], { cwd: installed, env, stdio: 'inherit' }).status
}

const [release, ...suite] = process.argv.slice(2)
process.exitCode = tryRelease(release, suite.length ? suite : all)
