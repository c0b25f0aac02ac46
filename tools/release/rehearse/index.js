'use strict'

// Rehearses a release: everything that can run on one machine. Builds, packs, and checks the packages, publishes them to a
// local registry, installs them from it, and prints what passed. Needs Linux or macOS.
//   npm run release:rehearse                        builds the packages; the addons of other platforms are placeholders
//   npm run release:rehearse -- --use-napi-cross    builds like a release; needs Node.js 22.20 or newer
//   npm run release:rehearse -- release             uses the tarballs in this folder

const { execFileSync, spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseTriple } = require('@napi-rs/cli')
const { name, napi, version } = require('../../../package.json')
const { buildLocalDynamoDB, startLocalDynamoDB } = require('../../local-dynamodb')
const { checkRelease } = require('../check-release')
const { packRelease } = require('../pack-release')
const { writePlaceholders } = require('../placeholder-addons')
const { tryInstalls } = require('./installs')
const { startRegistry } = require('./registry')

const root = path.join(__dirname, '..', '..', '..')
const [given] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
const cross = process.argv.includes('--use-napi-cross')
const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-rehearsal-')))
const inDirectory = (file) => path.join(directory, file)
const release = given ? path.resolve(given) : inDirectory('release')
const results = []

/**
 * Runs a program, and shows or returns its output. npm's variables of this script would take precedence over npm's
 * settings.
 */
async function run(program, args, { env, capture } = {}) {
  const inherited = Object.entries(process.env).filter(([variable]) => !/^npm_/i.test(variable))
  const child = spawn(program, args, {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit']
  })
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} failed`)
  return output.trim()
}

async function step(title, work) {
  console.log(`\n--- ${title}`)
  const started = Date.now()
  const note = await work()
  results.push({ step: title, result: 'ok', seconds: Math.round((Date.now() - started) / 1000), note: note ?? '' })
}

async function makeRelease() {
  const addon = `${napi.binaryName}.${hostPlatform()}.node`
  await step('build the addon', async () => {
    const target = napi.targets.find((triple) => parseTriple(triple).platformArchABI === hostPlatform())
    await run(process.execPath, [
      'tools/release/build-addon.js',
      '--target',
      target,
      ...(cross ? ['--use-napi-cross'] : [])
    ])
    return `${(fs.statSync(path.join(root, addon)).size / 1e6).toFixed(1)} MB`
  })
  if (process.platform === 'linux') {
    await step('check the addon: symbols, paths, libraries', async () => {
      await run('bash', ['tools/release/check-addon.sh', addon, ...(cross ? ['2.17'] : [])])
      return cross ? 'glibc 2.17' : 'without --use-napi-cross, glibc 2.17 is not checked'
    })
  }
  const bill = inDirectory('bill-of-materials')
  await step('write the bill of materials and the licenses', () => writeBill(bill))
  await step('pack and check the packages', async () => {
    const addons = inDirectory('addons')
    fs.mkdirSync(addons)
    fs.copyFileSync(path.join(root, addon), path.join(addons, addon))
    writePlaceholders(addons)
    await packRelease(addons, bill, release)
    checkRelease(release)
    return `${fs.readdirSync(release).length} packages, ${napi.targets.length - 1} with placeholders`
  })
}

/** The platform of this machine, as in the names of the addons. */
function hostPlatform() {
  const { glibcVersionRuntime } = process.report.getReport().header
  const abi = process.platform === 'linux' ? (glibcVersionRuntime ? '-gnu' : '-musl') : ''
  return `${process.platform}-${process.arch}${abi}`
}

function writeBill(folder) {
  const tools = ['cyclonedx', 'about'].filter((tool) => spawnSync('cargo', [tool, '--version']).status !== 0)
  if (!tools.length) return run('bash', ['tools/release/bill-of-materials.sh', folder])
  fs.mkdirSync(folder)
  const crates = ['ring', 'rustls', 'tokio', 'aws-sdk-dynamodb'].map((crate) => `  ${crate} 0\n`)
  fs.writeFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), crates.join(''))
  return `SKIPPED: needs ${tools.map((tool) => `cargo-${tool}`).join(' and ')}`
}

async function publish(registry) {
  const env = { npm_config_userconfig: registry.userconfig, npm_config_loglevel: 'warn' }
  const npm = (...args) => run('npm', args, { env, capture: true })
  const publishRelease = (...args) => run('bash', ['tools/release/publish-release.sh', release, ...args], { env })

  await step('claim the names of the packages', () =>
    run(process.execPath, ['tools/release/claim-names.js', '--access', 'public'], { env })
  )
  await step('publish: dry run', () => publishRelease('--dry-run', '--access', 'public'))
  await step('publish', () => publishRelease('--access', 'public'))
  await step('publish again, which changes nothing', () => publishRelease('--access', 'public'))
  await step('the tag latest', async () => {
    const latest = await npm('view', name, 'dist-tags.latest')
    if (latest !== version) throw new Error(`latest is ${latest}`)
    return latest
  })
  await step('deprecate a version, and take it back', async () => {
    const deprecation = () => npm('view', `${name}@${version}`, 'deprecated')
    await npm('deprecate', `${name}@${version}`, 'Use another version.')
    if (!(await deprecation())) throw new Error('the version is not deprecated')
    await npm('undeprecate', `${name}@${version}`)
    if (await deprecation()) throw new Error('the version is still deprecated')
  })
}

async function rehearse() {
  if (given) await step('check the packages', () => checkRelease(release))
  else await makeRelease()
  await step('check what the main package contains', () => run('npm', ['run', 'check:package']))
  await step('lint the main package (publint, attw)', async () => {
    await run('npx', ['publint', '--strict'])
    await run('npx', ['attw', '--pack', '.'])
  })
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  const names = (await run(process.execPath, ['tools/release/claim-names.js', '--list'], { capture: true })).split('\n')
  const registry = await startRegistry(inDirectory('registry'), names, upstream)
  try {
    await publish(registry)
    buildLocalDynamoDB()
    const dynamodb = await startLocalDynamoDB()
    console.log('\n--- install with each package manager, without Rust')
    const { rows, errors } = await tryInstalls({ directory, registry, dynamodb: dynamodb.endpoint, version })
    await dynamodb.close()
    return { rows, errors }
  } finally {
    registry.close()
  }
}

function print(rows) {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map((column) =>
    Math.max(...[column, ...rows.map((row) => row[column])].map((it) => `${it ?? ''}`.length))
  )
  const line = (cells) =>
    console.log(
      cells
        .map((cell, index) => `${cell ?? ''}`.padEnd(widths[index]))
        .join('  ')
        .trimEnd()
    )
  console.log()
  line(columns)
  for (const row of rows) line(columns.map((column) => row[column]))
}

async function main() {
  try {
    const { rows, errors } = await rehearse()
    print(results)
    print(rows)
    for (const error of errors) console.error(`\n${error}`)
    process.exitCode = errors.length ? 1 : 0
  } catch (error) {
    print(results)
    throw error
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

main()
