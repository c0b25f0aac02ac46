'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { cleanEnvironment } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { remoteApp } = require('./support/remote-app')
const { appDependencies, useProjects } = require('./support/projects')

const dynamodb = useDynamoDB()
const projects = useProjects()

/** The packages of the bundlers. */
const packages = [
  'esbuild',
  'webpack@5',
  'rollup@4',
  '@rollup/plugin-commonjs',
  '@rollup/plugin-node-resolve',
  '@rollup/plugin-json',
  '@vercel/nft@1',
  '@vercel/ncc'
]

/** For each bundler, a program that creates `dist/main.EXTENSION`. */
const scripts = {
  esbuild: `
    const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }
    require('esbuild').buildSync({
      entryPoints: [input], bundle: true, platform: 'node', external, outfile, logLevel: 'error', ...settings,
      ...(module ? { format: 'esm', banner } : { format: 'cjs' })
    })`,
  webpack: `
    const config = {
      mode: 'production', target: 'node', entry: './' + input, output: { filename: basename(outfile) },
      externals: pattern, externalsType: 'commonjs', ...settings
    }
    require('webpack')(config, (error, stats) => {
      if (error || stats.hasErrors()) throw error ?? new Error(stats.toString({ all: false, errors: true }))
    })`,
  rollup: `
    const plugin = (name) => require('@rollup/plugin-' + name)()
    const plugins = [require('@rollup/plugin-node-resolve')({ preferBuiltins: true }), plugin('commonjs'), plugin('json')]
    require('rollup').rollup({ input, external: pattern, plugins, onwarn() {} })
      .then((bundle) => bundle.write({ file: outfile, format: module ? 'es' : 'cjs' }))`,
  ncc: `
    // ncc has no patterns: each external entry point must be listed.
    const entries = external.includes('dynamodb-session') ? ['dynamodb-session/connect-dynamodb'] : []
    require('@vercel/ncc')(resolve(input), { externals: [...external, ...entries], quiet: true })
      .then(({ code, assets }) => {
        fs.mkdirSync('dist')
        fs.writeFileSync(outfile, code)
        for (const [name, { source }] of Object.entries(assets)) fs.writeFileSync('dist/' + name, source)
      })`,
  nft: `
    require('@vercel/nft').nodeFileTrace([input], settings).then(({ fileList }) => {
      for (const file of fileList) fs.cpSync(file, 'dist/' + file, { recursive: true, verbatimSymlinks: true })
    })`
}

/** A program that bundles `input` without the external packages. */
function bundleProgram(bundler, { input, external, settings = {} }) {
  const extension = input.split('.').at(-1)
  const given = { input, external, settings, outfile: `dist/main.${extension}`, module: extension === 'mjs' }
  return `
    const fs = require('node:fs')
    const { basename, resolve } = require('node:path')
    const { input, external, settings, outfile, module } = ${JSON.stringify(given)}
    const pattern = external.map((name) => new RegExp('^' + name + '(/|$)'))
    void (() => {${scripts[bundler]}
    })()`
}

/** Left out of the bundle: the package with the addon, and the package of the class that the store extends. */
const external = ['dynamodb-session', 'express-session']

let installed
const sources = () =>
  (installed ??= projects.npmInstall(projects.create('bundled'), ['dynamodb-session', ...appDependencies, ...packages]))

/** Bundles an app and deploys the bundle with the external packages. */
async function bundle(name, bundler, { program = process.execPath, ...options }) {
  const cwd = await sources()
  const dist = path.join(cwd, 'dist')
  fs.rmSync(dist, { recursive: true, force: true })
  await projects.run(program, ['-e', bundleProgram(bundler, options)], { cwd })
  const deployed = path.join(path.dirname(cwd), `deployed-${name.replaceAll(' ', '-')}`)
  fs.renameSync(dist, deployed)
  if (options.external.length) {
    projects.write(path.join(path.basename(deployed), 'package.json'), '{}')
    await projects.npmInstall(deployed, options.external)
  }
  return deployed
}

function runsWhenBundled(name, bundler, options) {
  const prepare = async () => ({
    command: process.execPath,
    args: [options.input],
    cwd: await bundle(name, bundler, options)
  })
  contract(remoteApp(name, dynamodb, prepare), dynamodb)
}

for (const input of ['main.cjs', 'main.mjs']) {
  const system = input.endsWith('mjs') ? 'module' : 'CommonJS'
  // In an ES module, webpack breaks the `require` calls of Express.
  for (const bundler of ['esbuild', 'rollup', 'ncc', ...(system === 'CommonJS' ? ['webpack'] : [])]) {
    runsWhenBundled(`${bundler}, ${system}`, bundler, { input, external })
  }
  // Packages of Express use the condition module-sync. On Node.js 20, nft does not follow it, although Node.js 20 does.
  const conditions = Number(process.versions.node.split('.')[0]) < 22 ? { conditions: ['node', 'module-sync'] } : {}
  runsWhenBundled(`nft, ${system}`, 'nft', { input, external: [], settings: conditions })
  test(`an app traced by nft on Node.js 22 runs without settings (${system})`, async () => {
    const program = await projects.program('node22')
    const cwd = await bundle(`nft 22 ${system}`, 'nft', { input, external: [], program })
    await assertCounts(`nft 22 ${system}`, { command: program, args: [input], cwd })
  })
}

/** Checks that the app counts the views of a visitor in the session. */
async function assertCounts(name, command) {
  const app = await remoteApp(name, dynamodb, async () => command).start({})
  const browser = new Browser(app.url)
  const visits = [await browser.get('/count'), await browser.get('/count')]
  await app.close()
  assert.deepEqual(
    visits.map(({ body }) => body.views),
    [1, 2]
  )
}

// An app that passes its express-session to the package does not need another one at run time.
for (const [name, bundler, settings] of [
  ['ncc bundles everything', 'ncc', {}],
  ['esbuild copies the addon', 'esbuild', { loader: { '.node': 'copy' } }]
]) {
  test(name, async () => {
    const cwd = await bundle(name, bundler, { input: 'factory-main.cjs', external: [], settings })
    assert.ok(!fs.existsSync(path.join(cwd, 'node_modules')))
    await assertCounts(name, { command: process.execPath, args: ['main.cjs'], cwd })
  })
}

describe('a bundle that wrongly contains', () => {
  for (const [bundler, reason] of [
    ['esbuild', /No loader is configured for "\.node" files/],
    [
      'webpack',
      /Module parse failed[^]*dynamodb-session\.[\w-]+\.node|dynamodb-session\.[\w-]+\.node[^]*Module parse failed/
    ],
    ['rollup', /dynamodb-session\.[\w-]+\.node \(1:0\)/]
  ]) {
    test(`dynamodb-session cannot be built with ${bundler}`, async () => {
      const bundled = bundle(bundler, bundler, { input: 'main.cjs', external: ['express-session'] })
      await assert.rejects(bundled, ({ stderr }) => reason.test(stderr))
    })
  }

  for (const bundler of ['esbuild', 'webpack', 'rollup', 'ncc']) {
    test(`express-session fails at startup with an explanation (${bundler})`, async () => {
      const cwd = await bundle(`without ${bundler}`, bundler, { input: 'main.cjs', external: ['dynamodb-session'] })
      // npm installed it as a peer dependency. The store would find it, but the app uses the bundled one.
      fs.rmSync(path.join(cwd, 'node_modules', 'express-session'), { recursive: true, force: true })
      const env = { ...cleanEnvironment(), APP: JSON.stringify({ store: dynamodb.options() }) }
      await assert.rejects(projects.run(process.execPath, ['main.cjs'], { cwd, env }), ({ stderr }) => {
        assert.match(
          stderr,
          /express-session uses this store, but dynamodb-session cannot find the express-session package. Either express-session is bundled/
        )
        return true
      })
    })
  }

  test('dynamodb-session without its addon fails with an explanation', async () => {
    const options = {
      input: 'main.cjs',
      external: ['express-session'],
      settings: { external: ['express-session', '*.node', '@dynamodb-session/*'] }
    }
    const deployed = await bundle('without addon', 'esbuild', options)
    await assert.rejects(projects.run(process.execPath, ['main.cjs'], { cwd: deployed }), ({ stderr }) => {
      assert.match(stderr, /The package runs from a bundle that does not contain the addon\. Keep dynamodb-session out/)
      return true
    })
  })
})
