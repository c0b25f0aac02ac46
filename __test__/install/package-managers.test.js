'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { contract } = require('../contract/frameworks/contract')
const { useDynamoDB } = require('../support/dynamodb')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()
const dependencies = { express: '5', express4: 'npm:express@4', 'express-session': '1' }
const ours = { 'dynamodb-session': '*' }

/** Runs a package manager in a project. */
async function manage(name, args, cwd) {
  await workshop.run(process.execPath, [await workshop.program(name), ...args], { cwd })
}

const runs = (name, prepare) =>
  contract(
    remote(name, dynamodb, async () => ({ command: process.execPath, ...(await prepare()) })),
    dynamodb
  )

const pnpmSettings = async (name) => {
  workshop.write(path.join(name, '.npmrc'), `registry=${await workshop.registry()}\nstore-dir=../pnpm-store\n`)
}

runs('npm', async () => ({ cwd: await workshop.npmProject(), args: ['main.cjs'] }))

runs('npm ci', async () => {
  const cwd = workshop.project('npm-ci')
  await workshop.npmInstall(cwd, ['--package-lock-only', 'dynamodb-session', ...appDependencies])
  await workshop.npmCleanInstall(cwd)
  return { cwd, args: ['main.cjs'] }
})

runs('pnpm', async () => {
  const cwd = workshop.project('pnpm', { dependencies: { ...dependencies, ...ours } })
  await pnpmSettings('pnpm')
  await manage('pnpm', ['install'], cwd)
  return { cwd, args: ['main.cjs'] }
})

/** The app's entry when another package of the monorepo has the stores. */
const mainThrough = (name, check = '') => `
  const { DynamoDBStore } = require('${name}')
  const { Store } = require('express-session')
  ${check}
  require('./serve.cjs')(DynamoDBStore)
`
const refuseAnotherBase = `if (!(DynamoDBStore.prototype instanceof Store)) throw new Error('another base')`
const expectAnotherBase = `if (DynamoDBStore.prototype instanceof Store) throw new Error('the same base')`

/** A monorepo of an app and, where it is asked for, a package that has the stores for it. */
async function pnpmMonorepo(name, { app, sessions, check }) {
  const monorepo = workshop.project(name)
  const shop = workshop.project(path.join(name, 'apps', 'shop'), { name: 'shop', dependencies: app })
  workshop.write(path.join(name, 'pnpm-workspace.yaml'), 'packages: ["apps/*", "packages/*"]\n')
  workshop.write(
    path.join(name, 'packages', 'sessions', 'package.json'),
    JSON.stringify({ name: 'sessions', main: 'index.cjs', dependencies: sessions })
  )
  workshop.write(path.join(name, 'packages', 'sessions', 'index.cjs'), `module.exports = require('dynamodb-session')`)
  workshop.write(
    path.join(name, 'apps', 'shop', 'main.cjs'),
    mainThrough(app.sessions ? 'sessions' : 'dynamodb-session', check)
  )
  await pnpmSettings(name)
  await manage('pnpm', ['install'], monorepo)
  return { cwd: shop, args: ['main.cjs'] }
}

runs('pnpm monorepo whose app has express-session', () =>
  pnpmMonorepo('monorepo', {
    app: { ...dependencies, sessions: 'workspace:*' },
    sessions: ours,
    check: refuseAnotherBase
  })
)

// The package of the stores has chosen its express-session: that of 2021 serves an app of today's.
runs('pnpm monorepo where the stores come with another express-session than the app', () =>
  pnpmMonorepo('monorepo-other', {
    app: { ...dependencies, 'express-session': '1.19', sessions: 'workspace:*' },
    sessions: { ...ours, 'express-session': '1.17.2' },
    check: expectAnotherBase
  })
)

runs('pnpm monorepo where another package has another express-session', () =>
  pnpmMonorepo('monorepo-both', {
    app: { ...dependencies, ...ours, 'express-session': '1.17.2' },
    sessions: { ...ours, 'express-session': '1.19' },
    check: refuseAnotherBase
  })
)

runs('npm workspaces whose app has another express-session than stands beside the package', async () => {
  const root = workshop.project('workspaces', { workspaces: ['apps/*'], dependencies: { ...dependencies, ...ours } })
  const cwd = workshop.project('workspaces/apps/shop', { name: 'shop', dependencies: { 'express-session': '1.17.2' } })
  workshop.write('workspaces/apps/shop/main.cjs', mainThrough('dynamodb-session', refuseAnotherBase))
  await workshop.npmInstall(root, [])
  const versionIn = (folder) => require(path.join(folder, 'node_modules', 'express-session', 'package.json')).version
  assert.notEqual(versionIn(root), versionIn(cwd))
  return { cwd, args: ['main.cjs'] }
})

const plugAndPlay = ['-r', './.pnp.cjs']
for (const [name, linker, args] of [
  ['yarn-pnp', 'pnp', [...plugAndPlay, 'main.cjs']],
  ['yarn-pnp-module', 'pnp', [...plugAndPlay, '--experimental-loader', './.pnp.loader.mjs', 'main.mjs']],
  ['yarn-node-modules', 'node-modules', ['main.cjs']]
]) {
  runs(`Yarn, ${name.slice('yarn-'.length)}`, async () => {
    const cwd = workshop.project(name, { dependencies: { ...dependencies, ...ours } })
    workshop.write(path.join(name, 'yarn.lock'), '')
    workshop.write(
      path.join(name, '.yarnrc.yml'),
      `nodeLinker: ${linker}
pnpEnableEsmLoader: true
npmRegistryServer: '${await workshop.registry()}'
unsafeHttpWhitelist: ['127.0.0.1']
enableTelemetry: false
enableGlobalCache: false
enableImmutableInstalls: false
globalFolder: ../yarn-global
`
    )
    await manage('yarn', ['install'], cwd)
    return { cwd, args }
  })
}
