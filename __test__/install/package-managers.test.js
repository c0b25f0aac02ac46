'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { contract } = require('../contract/frameworks/contract')
const { useDynamoDB } = require('../support/dynamodb')
const { remoteApp } = require('./support/remote-app')
const { appDependencies, useProjects } = require('./support/projects')

const dynamodb = useDynamoDB()
const projects = useProjects()
const dependencies = { express: '5', express4: 'npm:express@4', 'express-session': '1' }
const ours = { 'dynamodb-session': '*' }

/** Runs a package manager in a project. */
async function runManager(name, args, cwd) {
  await projects.run(process.execPath, [await projects.program(name), ...args], { cwd })
}

const runsWith = (name, prepare) =>
  contract(
    remoteApp(name, dynamodb, async () => ({ command: process.execPath, ...(await prepare()) })),
    dynamodb
  )

const pnpmSettings = async (name) => {
  projects.write(path.join(name, '.npmrc'), `registry=${await projects.registryUrl()}\nstore-dir=../pnpm-store\n`)
}

runsWith('npm', async () => ({ cwd: await projects.npmProject(), args: ['main.cjs'] }))

runsWith('npm ci', async () => {
  const cwd = projects.create('npm-ci')
  await projects.npmInstall(cwd, ['--package-lock-only', 'dynamodb-session', ...appDependencies])
  await projects.npmCleanInstall(cwd)
  return { cwd, args: ['main.cjs'] }
})

runsWith('pnpm', async () => {
  const cwd = projects.create('pnpm', { dependencies: { ...dependencies, ...ours } })
  await pnpmSettings('pnpm')
  await runManager('pnpm', ['install'], cwd)
  return { cwd, args: ['main.cjs'] }
})

/** An app that gets the store from this package. */
const mainThrough = (name, check = '') => `
  const { DynamoDBStore } = require('${name}')
  const { Store } = require('express-session')
  ${check}
  require('./serve.cjs')(DynamoDBStore)
`
const requireSameBase = `if (!(DynamoDBStore.prototype instanceof Store)) throw new Error('the store extends another Store')`
const requireOtherBase = `if (DynamoDBStore.prototype instanceof Store) throw new Error('the store extends the Store of the app')`

/** A monorepo with an app and a package `sessions`, on which the app may depend for its store. */
async function pnpmMonorepo(name, { app, sessions, check }) {
  const monorepo = projects.create(name)
  const shop = projects.create(path.join(name, 'apps', 'shop'), { name: 'shop', dependencies: app })
  projects.write(path.join(name, 'pnpm-workspace.yaml'), 'packages: ["apps/*", "packages/*"]\n')
  projects.write(
    path.join(name, 'packages', 'sessions', 'package.json'),
    JSON.stringify({ name: 'sessions', main: 'index.cjs', dependencies: sessions })
  )
  projects.write(path.join(name, 'packages', 'sessions', 'index.cjs'), `module.exports = require('dynamodb-session')`)
  projects.write(
    path.join(name, 'apps', 'shop', 'main.cjs'),
    mainThrough(app.sessions ? 'sessions' : 'dynamodb-session', check)
  )
  await pnpmSettings(name)
  await runManager('pnpm', ['install'], monorepo)
  return { cwd: shop, args: ['main.cjs'] }
}

runsWith('pnpm monorepo where the app has express-session', () =>
  pnpmMonorepo('monorepo', {
    app: { ...dependencies, sessions: 'workspace:*' },
    sessions: ours,
    check: requireSameBase
  })
)

// The package with the store uses its own express-session. A version of 2021 works with an app of today.
runsWith('pnpm monorepo where the package with the store has another express-session than the app', () =>
  pnpmMonorepo('monorepo-other', {
    app: { ...dependencies, 'express-session': '1.19', sessions: 'workspace:*' },
    sessions: { ...ours, 'express-session': '1.17.2' },
    check: requireOtherBase
  })
)

runsWith('pnpm monorepo where an unrelated package has another express-session', () =>
  pnpmMonorepo('monorepo-both', {
    app: { ...dependencies, ...ours, 'express-session': '1.17.2' },
    sessions: { ...ours, 'express-session': '1.19' },
    check: requireSameBase
  })
)

runsWith('npm workspaces where the app has another express-session than the root', async () => {
  const root = projects.create('workspaces', { workspaces: ['apps/*'], dependencies: { ...dependencies, ...ours } })
  const cwd = projects.create('workspaces/apps/shop', { name: 'shop', dependencies: { 'express-session': '1.17.2' } })
  projects.write('workspaces/apps/shop/main.cjs', mainThrough('dynamodb-session', requireSameBase))
  await projects.npmInstall(root, [])
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
  runsWith(`Yarn, ${name.slice('yarn-'.length)}`, async () => {
    const cwd = projects.create(name, { dependencies: { ...dependencies, ...ours } })
    projects.write(path.join(name, 'yarn.lock'), '')
    projects.write(
      path.join(name, '.yarnrc.yml'),
      `nodeLinker: ${linker}
pnpEnableEsmLoader: true
npmRegistryServer: '${await projects.registryUrl()}'
unsafeHttpWhitelist: ['127.0.0.1']
enableTelemetry: false
enableGlobalCache: false
enableImmutableInstalls: false
globalFolder: ../yarn-global
`
    )
    await runManager('yarn', ['install'], cwd)
    return { cwd, args }
  })
}

runsWith('Yarn 1', async () => {
  const cwd = projects.create('yarn-1', { dependencies: { ...dependencies, ...ours } })
  projects.write(path.join('yarn-1', '.npmrc'), `registry=${await projects.registryUrl()}\n`)
  await runManager('yarn1', ['install', '--cache-folder', '../yarn-1-cache'], cwd)
  return { cwd, args: ['main.cjs'] }
})
