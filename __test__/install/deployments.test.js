'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { cleanEnvironment } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/http')
const { npm } = require('./support/release')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()
const linuxX64 = process.platform === 'linux' && process.arch === 'x64'
const onLinux = { skip: linuxX64 ? false : 'the release of these tests has an addon for Linux x64 alone' }

/** A project with the app of these tests, or that of one of its folders, and what npm installs for it. */
async function project(name, packages, folder = '') {
  const cwd = path.join(workshop.project(name, { name, version: '1.0.0' }), folder)
  if (folder) workshop.write(path.join(name, folder, 'package.json'), JSON.stringify({ private: true }))
  return workshop.npmInstall(cwd, ['dynamodb-session', ...appDependencies, ...packages])
}

/** Runs a tool of the project; what it installs, comes from the registry of these tests. */
async function use(cwd, program, args, settings) {
  const env = { ...cleanEnvironment(), ...settings, npm_config_registry: await workshop.registry() }
  const local = path.join(cwd, 'node_modules', '.bin', program)
  return workshop.run(fs.existsSync(local) ? local : program, args, { cwd, env, maxBuffer: 1 << 26 })
}

/** What is deployed serves a visitor, whose session comes back. */
async function assertCounts(name, cwd, args, place = '/count') {
  const { url, close } = await remote(name, dynamodb, async () => ({ command: process.execPath, args, cwd })).start({
    pause() {}
  })
  try {
    const browser = new Browser(url)
    const visits = [await browser.get(place), await browser.get(place)]
    assert.deepEqual(
      visits.map(({ body }) => body.views),
      [1, 2]
    )
  } finally {
    await close()
  }
}

const addonsIn = (folder) =>
  fs.readdirSync(path.join(folder, 'node_modules', '@dynamodb-session')).map((name) => `@dynamodb-session/${name}`)

test('CDK NodejsFunction without Docker', onLinux, async () => {
  const cwd = await project('cdk', ['aws-cdk-lib@2', 'constructs@10', 'esbuild'])
  for (const [cpu, addon] of [
    ['x64', '@dynamodb-session/addon-linux-x64-gnu'],
    ['arm64', '@dynamodb-session/addon-linux-arm64-gnu']
  ]) {
    await use(cwd, process.execPath, ['cdk.cjs', cpu])
    const out = path.join(cwd, `cdk-${cpu}`)
    const asset = path.join(
      out,
      fs.readdirSync(out).find((name) => name.startsWith('asset.'))
    )
    assert.deepEqual(addonsIn(asset), [addon])
    if (cpu === 'x64') await assertCounts('CDK', asset, ['index.js'])
  }
})

const withoutUnzip = spawnSync('unzip', ['-v']).status !== 0 && 'it takes unzip'

test('Serverless Framework 3 with serverless-esbuild', { skip: withoutUnzip || onLinux.skip }, async () => {
  const cwd = await project('serverless', ['serverless@3', 'serverless-esbuild@1', 'esbuild'])
  fs.renameSync(path.join(cwd, 'main.cjs'), path.join(cwd, 'main.js'))
  await use(cwd, 'serverless', ['package'], { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' })
  const deployed = path.join(cwd, 'deployed')
  await workshop.run('unzip', ['-q', path.join('.serverless', 'shop.zip'), '-d', deployed], { cwd })
  assert.deepEqual(addonsIn(deployed), ['@dynamodb-session/addon-linux-x64-gnu'])
  await assertCounts('Serverless', deployed, ['main.js'])
})

test('a Lambda layer for each architecture', async () => {
  const cwd = workshop.project('layers')
  const registry = `--registry=${await workshop.registry()}`
  for (const cpu of ['x64', 'arm64']) {
    const prefix = path.join(cwd, `layer-${cpu}`, 'nodejs')
    const platform = ['--os=linux', `--cpu=${cpu}`, '--libc=glibc']
    await npm(['install', registry, '--prefix', prefix, ...platform, 'dynamodb-session', 'express-session'], cwd)
    assert.deepEqual(addonsIn(prefix), [`@dynamodb-session/addon-linux-${cpu}-gnu`])
  }
  if (!linuxX64) return
  const env = { ...cleanEnvironment(), NODE_PATH: path.join(cwd, 'layer-x64', 'nodejs', 'node_modules') }
  const script = `
    const { DynamoDBStore } = require('dynamodb-session')
    console.log(DynamoDBStore.prototype instanceof require('express-session').Store)`
  const { stdout } = await workshop.run(process.execPath, ['-e', script], { cwd, env })
  assert.equal(stdout, 'true\n')
})

const sam = process.env.SAM ?? 'sam'
const withoutSam = spawnSync(sam, ['--version']).status !== 0

test('SAM', { skip: withoutSam ? 'there is no sam here: SAM names one' : onLinux.skip }, async () => {
  const cwd = await project('sam', ['esbuild'])
  workshop.write(
    'sam/layer/package.json',
    JSON.stringify({
      name: 'layer',
      version: '1.0.0',
      dependencies: { 'dynamodb-session': '*', 'express-session': '1' }
    })
  )
  const env = {
    SAM_CLI_TELEMETRY: '0',
    AWS_DEFAULT_REGION: 'eu-west-1',
    PATH: `${cwd}/node_modules/.bin:${process.env.PATH}`
  }
  await use(cwd, sam, ['validate', '--lint'], env)
  await use(cwd, sam, ['build'], env)
  const built = (name) => path.join(cwd, '.aws-sam', 'build', name)
  await assertCounts('SAM, nodejs', built('Installed'), ['main.cjs'])
  // Lambda mounts a layer at /opt and has it in NODE_PATH.
  fs.renameSync(path.join(built('Sessions'), 'nodejs', 'node_modules'), path.join(built('Bundled'), 'node_modules'))
  await assertCounts('SAM, esbuild', built('Bundled'), ['main.js'])
})

test('Next.js, a custom server and a route handler', onLinux, async () => {
  const cwd = await project('next', ['next@16', 'react@19', 'react-dom@19'], 'next')
  await use(cwd, 'next', ['build'], { NEXT_TELEMETRY_DISABLED: '1' })
  await assertCounts('Next.js', cwd, ['server.js'], '/custom')
  await assertCounts('Next.js', cwd, ['server.js'], '/count')
})

test('NestJS, built by webpack', onLinux, async () => {
  const nest = ['cli', 'common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@11`)
  const typescript = ['typescript@5', 'ts-loader@9', 'webpack@5', '@types/node', '@types/express-session']
  const cwd = await project('nestjs', [...nest, 'rxjs@7', 'reflect-metadata', ...typescript], 'nest')
  await use(cwd, 'nest', ['build', '--webpack'])
  assert.ok(fs.statSync(path.join(cwd, 'dist', 'main.js')).size < 20_000, 'node_modules is in the bundle')
  await assertCounts('NestJS', cwd, ['dist/main.js'])
})
