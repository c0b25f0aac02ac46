'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { cleanEnvironment } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const deploymentFiles = require('./support/deployment-files')
const { remoteApp } = require('./support/remote-app')
const { appDependencies, npm, useProjects } = require('./support/projects')

const dynamodb = useDynamoDB()
const projects = useProjects()
const linuxX64 = process.platform === 'linux' && process.arch === 'x64'
const onLinux = { skip: linuxX64 ? false : 'the packed release has an addon only for Linux x64' }

/** A project with these files, into which npm installed the package and these packages. */
async function project(name, packages, files) {
  const cwd = projects.create(name, { name, version: '1.0.0' }, files)
  return projects.npmInstall(cwd, ['dynamodb-session', ...appDependencies, ...packages])
}

/** Runs a tool of the project. What the tool installs comes from the local registry. */
async function runTool(cwd, program, args, settings) {
  const env = { ...cleanEnvironment(), ...settings, npm_config_registry: await projects.registryUrl() }
  const local = path.join(cwd, 'node_modules', '.bin', program)
  return projects.run(fs.existsSync(local) ? local : program, args, { cwd, env, maxBuffer: 1 << 26 })
}

/** Checks that the deployed app counts the views of a visitor in the session. */
async function assertCounts(name, cwd, args, route = '/count') {
  const { url, close } = await remoteApp(name, dynamodb, async () => ({ command: process.execPath, args, cwd })).start({
    pause() {}
  })
  try {
    const browser = new Browser(url)
    const visits = [await browser.get(route), await browser.get(route)]
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

test('CDK NodejsFunction bundles the addon of its architecture without Docker', onLinux, async () => {
  const cwd = await project('cdk', ['aws-cdk-lib@2', 'constructs@10', 'esbuild'], deploymentFiles.cdk)
  for (const [cpu, addon] of [
    ['x64', '@dynamodb-session/addon-linux-x64-gnu'],
    ['arm64', '@dynamodb-session/addon-linux-arm64-gnu']
  ]) {
    await runTool(cwd, process.execPath, ['cdk.cjs', cpu])
    const out = path.join(cwd, `cdk-${cpu}`)
    const asset = path.join(
      out,
      fs.readdirSync(out).find((name) => name.startsWith('asset.'))
    )
    assert.deepEqual(addonsIn(asset), [addon])
    if (cpu === 'x64') await assertCounts('CDK', asset, ['index.js'])
  }
})

const withoutUnzip = spawnSync('unzip', ['-v']).status !== 0 && 'needs unzip'

test(
  'Serverless Framework 3 with serverless-esbuild packages the addon',
  { skip: withoutUnzip || onLinux.skip },
  async () => {
    const cwd = await project(
      'serverless',
      ['serverless@3', 'serverless-esbuild@1', 'esbuild'],
      deploymentFiles.serverless
    )
    fs.renameSync(path.join(cwd, 'main.cjs'), path.join(cwd, 'main.js'))
    await runTool(cwd, 'serverless', ['package'], { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' })
    const deployed = path.join(cwd, 'deployed')
    await projects.run('unzip', ['-q', path.join('.serverless', 'shop.zip'), '-d', deployed], { cwd })
    assert.deepEqual(addonsIn(deployed), ['@dynamodb-session/addon-linux-x64-gnu'])
    await assertCounts('Serverless', deployed, ['main.js'])
  }
)

test('npm installs a Lambda layer for each architecture', async () => {
  const cwd = projects.create('layers')
  const registry = `--registry=${await projects.registryUrl()}`
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
  const { stdout } = await projects.run(process.execPath, ['-e', script], { cwd, env })
  assert.equal(stdout, 'true\n')
})

const sam = process.env.SAM ?? 'sam'
const withoutSam = spawnSync(sam, ['--version']).status !== 0

test(
  'SAM builds a function with node_modules and a bundled function with a layer',
  { skip: withoutSam ? 'needs sam: install the AWS SAM CLI, or set SAM to its path' : onLinux.skip },
  async () => {
    const cwd = await project('sam', ['esbuild'], deploymentFiles.sam)
    const env = {
      SAM_CLI_TELEMETRY: '0',
      AWS_DEFAULT_REGION: 'eu-west-1',
      PATH: `${cwd}/node_modules/.bin:${process.env.PATH}`
    }
    await runTool(cwd, sam, ['validate', '--lint'], env)
    await runTool(cwd, sam, ['build'], env)
    const built = (name) => path.join(cwd, '.aws-sam', 'build', name)
    await assertCounts('SAM, nodejs', built('Installed'), ['main.cjs'])
    // Lambda mounts a layer at /opt, which is in NODE_PATH.
    fs.renameSync(path.join(built('Sessions'), 'nodejs', 'node_modules'), path.join(built('Bundled'), 'node_modules'))
    await assertCounts('SAM, esbuild', built('Bundled'), ['main.js'])
  }
)

test('Next.js runs the store in a custom server and in a route handler', onLinux, async () => {
  const cwd = await project('next', ['next@16', 'react@19', 'react-dom@19'], deploymentFiles.next)
  await runTool(cwd, 'next', ['build'], { NEXT_TELEMETRY_DISABLED: '1' })
  await assertCounts('Next.js', cwd, ['server.js'], '/custom')
  await assertCounts('Next.js', cwd, ['server.js'], '/count')
})

test('NestJS built with webpack keeps the package out of the bundle', onLinux, async () => {
  const nest = ['cli', 'common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@11`)
  const typescript = ['typescript@5', 'ts-loader@9', 'webpack@5', '@types/node', '@types/express-session']
  const cwd = await project('nestjs', [...nest, 'rxjs@7', 'reflect-metadata', ...typescript], deploymentFiles.nest)
  await runTool(cwd, 'nest', ['build', '--webpack'])
  assert.ok(fs.statSync(path.join(cwd, 'dist', 'main.js')).size < 20_000, 'node_modules is in the bundle')
  await assertCounts('NestJS', cwd, ['dist/main.js'])
})
