'use strict'

const path = require('node:path')
const { contract } = require('../contract')
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

runs('pnpm monorepo whose app has express-session', async () => {
  const monorepo = workshop.project('monorepo')
  const app = workshop.project('monorepo/apps/shop', {
    name: 'shop',
    dependencies: { ...dependencies, sessions: 'workspace:*' }
  })
  workshop.write('monorepo/pnpm-workspace.yaml', 'packages: ["apps/*", "packages/*"]\n')
  workshop.write(
    'monorepo/packages/sessions/package.json',
    JSON.stringify({ name: 'sessions', main: 'index.cjs', dependencies: ours })
  )
  workshop.write('monorepo/packages/sessions/index.cjs', `module.exports = require('dynamodb-session')\n`)
  workshop.write(
    'monorepo/apps/shop/main.cjs',
    `const { DynamoDBStore } = require('sessions')
     if (!(DynamoDBStore.prototype instanceof require('express-session').Store)) throw new Error('another base')
     require('./serve.cjs')(DynamoDBStore)\n`
  )
  await pnpmSettings('monorepo')
  await manage('pnpm', ['install'], monorepo)
  return { cwd: app, args: ['main.cjs'] }
})

for (const linker of ['pnp', 'node-modules']) {
  runs(`Yarn, ${linker}`, async () => {
    const name = `yarn-${linker}`
    const cwd = workshop.project(name, { dependencies: { ...dependencies, ...ours } })
    workshop.write(path.join(name, 'yarn.lock'), '')
    workshop.write(
      path.join(name, '.yarnrc.yml'),
      `nodeLinker: ${linker}
npmRegistryServer: '${await workshop.registry()}'
unsafeHttpWhitelist: ['127.0.0.1']
enableTelemetry: false
enableGlobalCache: false
enableImmutableInstalls: false
globalFolder: ../yarn-global
`
    )
    await manage('yarn', ['install'], cwd)
    return { cwd, args: linker === 'pnp' ? ['-r', './.pnp.cjs', 'main.cjs'] : ['main.cjs'] }
  })
}
