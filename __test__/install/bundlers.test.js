'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { cleanEnvironment } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/http')
const { bundling, packages } = require('./support/bundlers')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()

/** What stays out of the bundle: the addon's package, and the class that its store extends. */
const external = ['dynamodb-session', 'express-session']

let made
const sources = () =>
  (made ??= workshop.npmInstall(workshop.project('bundled'), ['dynamodb-session', ...appDependencies, ...packages]))

/** Bundles an app with what only a deployment carries, beside the packages that were kept out. */
async function bundle(name, bundler, { program = process.execPath, ...options }) {
  const cwd = await sources()
  const dist = path.join(cwd, 'dist')
  fs.rmSync(dist, { recursive: true, force: true })
  await workshop.run(program, ['-e', bundling(bundler, options)], { cwd })
  const deployed = path.join(path.dirname(cwd), `deployed-${name.replaceAll(' ', '-')}`)
  fs.renameSync(dist, deployed)
  if (options.external.length) {
    workshop.write(path.join(path.basename(deployed), 'package.json'), '{}')
    await workshop.npmInstall(deployed, options.external)
  }
  return deployed
}

function runs(name, bundler, options) {
  const prepare = async () => ({
    command: process.execPath,
    args: [options.input],
    cwd: await bundle(name, bundler, options)
  })
  contract(remote(name, dynamodb, prepare), dynamodb)
}

for (const input of ['main.cjs', 'main.mjs']) {
  const system = input.endsWith('mjs') ? 'module' : 'CommonJS'
  // In a module, webpack leaves Express's CommonJS without a require.
  for (const bundler of ['esbuild', 'rollup', 'ncc', ...(system === 'CommonJS' ? ['webpack'] : [])]) {
    runs(`${bundler}, ${system}`, bundler, { input, external })
  }
  // On Node.js 20, nft does not follow the condition module-sync, which that has as well and Express's packages use.
  const conditions = Number(process.versions.node.split('.')[0]) < 22 ? { conditions: ['node', 'module-sync'] } : {}
  runs(`nft, ${system}`, 'nft', { input, external: [], settings: conditions })
  test(`nft on Node.js 22 without a setting, ${system}`, async () => {
    const program = await workshop.program('node22')
    const cwd = await bundle(`nft 22 ${system}`, 'nft', { input, external: [], program })
    await assertCounts(`nft 22 ${system}`, { command: program, args: [input], cwd })
  })
}

/** A visitor is counted, so the session comes back. */
async function assertCounts(name, command) {
  const app = await remote(name, dynamodb, async () => command).start({})
  const browser = new Browser(app.url)
  const visits = [await browser.get('/count'), await browser.get('/count')]
  await app.close()
  assert.deepEqual(
    visits.map(({ body }) => body.views),
    [1, 2]
  )
}

// The store of an app that hands its express-session over needs no other.
for (const [name, bundler, settings] of [
  ['ncc packs everything', 'ncc', {}],
  ['esbuild copies the addon', 'esbuild', { loader: { '.node': 'copy' } }]
]) {
  test(name, async () => {
    const cwd = await bundle(name, bundler, { input: 'handed.cjs', external: [], settings })
    assert.ok(!fs.existsSync(path.join(cwd, 'node_modules')))
    await assertCounts(name, { command: process.execPath, args: ['main.cjs'], cwd })
  })
}

describe('a bundle that should have kept out', () => {
  for (const [bundler, answer] of [
    ['esbuild', /No loader is configured for "\.node" files/],
    [
      'webpack',
      /Module parse failed[^]*dynamodb-session\.[\w-]+\.node|dynamodb-session\.[\w-]+\.node[^]*Module parse failed/
    ],
    ['rollup', /dynamodb-session\.[\w-]+\.node \(1:0\)/]
  ]) {
    test(`dynamodb-session is not made by ${bundler}`, async () => {
      const bundled = bundle(bundler, bundler, { input: 'main.cjs', external: ['express-session'] })
      await assert.rejects(bundled, ({ stderr }) => answer.test(stderr))
    })
  }

  for (const bundler of ['esbuild', 'webpack', 'rollup', 'ncc']) {
    test(`express-session says so when it starts, by ${bundler}`, async () => {
      const cwd = await bundle(`without ${bundler}`, bundler, { input: 'main.cjs', external: ['dynamodb-session'] })
      // Installed as a peer it would be found, and be another than that of the bundle.
      fs.rmSync(path.join(cwd, 'node_modules', 'express-session'), { recursive: true, force: true })
      const env = { ...cleanEnvironment(), APP: JSON.stringify({ store: dynamodb.options() }) }
      await assert.rejects(workshop.run(process.execPath, ['main.cjs'], { cwd, env }), ({ stderr }) => {
        assert.match(
          stderr,
          /express-session uses this store, but dynamodb-session cannot find the express-session package. Either express-session is bundled/
        )
        return true
      })
    })
  }

  test('a package of which the addon was not installed says what to keep out', async () => {
    const options = {
      input: 'main.cjs',
      external: ['express-session'],
      settings: { external: ['express-session', '*.node', '@dynamodb-session/*'] }
    }
    const deployed = await bundle('without addon', 'esbuild', options)
    await assert.rejects(workshop.run(process.execPath, ['main.cjs'], { cwd: deployed }), ({ stderr }) => {
      assert.match(stderr, /It looked from inside of a bundle, where the addon is not\. Keep dynamodb-session out/)
      return true
    })
  })
})
