'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { contract } = require('../contract')
const { useDynamoDB } = require('../support/dynamodb')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()

/** What stays out of the bundle: the addon's package, and the class that its store extends. */
const external = ['dynamodb-session', 'express-session']
const bundlers = [
  'esbuild',
  'webpack',
  'rollup@4',
  '@rollup/plugin-commonjs',
  '@rollup/plugin-node-resolve',
  '@rollup/plugin-json',
  '@vercel/nft',
  '@vercel/ncc'
]

const scripts = {
  esbuild: `
    require('esbuild').buildSync({
      entryPoints: ['main.cjs'], bundle: true, platform: 'node', external: EXTERNAL, outfile: 'dist/main.cjs'
    })`,
  webpack: `
    const config = {
      mode: 'production', target: 'node', entry: './main.cjs', output: { filename: 'main.cjs' },
      externals: Object.fromEntries(EXTERNAL.map((name) => [name, 'commonjs ' + name]))
    }
    require('webpack')(config, (error, stats) => {
      if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
    })`,
  rollup: `
    const plugin = (name) => require('@rollup/plugin-' + name)()
    const plugins = [require('@rollup/plugin-node-resolve')({ preferBuiltins: true }), plugin('commonjs'), plugin('json')]
    require('rollup').rollup({ input: 'main.cjs', external: EXTERNAL, plugins })
      .then((bundle) => bundle.write({ file: 'dist/main.cjs', format: 'cjs' }))`,
  ncc: `
    require('@vercel/ncc')(require('node:path').resolve('main.cjs'), { externals: EXTERNAL, quiet: true })
      .then(({ code }) => { fs.mkdirSync('dist'); fs.writeFileSync('dist/main.cjs', code) })`,
  nft: `
    require('@vercel/nft').nodeFileTrace(['main.cjs'], { conditions: ['node', 'module-sync'] }).then(({ fileList }) => {
      for (const file of fileList) fs.cpSync(file, 'dist/' + file, { recursive: true, verbatimSymlinks: true })
    })`
}

let made
const sources = () =>
  (made ??= workshop.npmInstall(workshop.project('bundled'), ['dynamodb-session', ...appDependencies, ...bundlers]))

for (const [name, script] of Object.entries(scripts)) {
  const prepare = async () => {
    const cwd = await sources()
    const prelude = `const fs = require('node:fs'); const EXTERNAL = ${JSON.stringify(external)};`
    const dist = path.join(cwd, 'dist')
    fs.rmSync(dist, { recursive: true, force: true })
    await workshop.run(process.execPath, ['-e', prelude + script], { cwd })
    // Only what a deployment would carry.
    const deployed = path.join(path.dirname(cwd), `deployed-${name}`)
    fs.renameSync(dist, deployed)
    if (name !== 'nft') {
      workshop.write(`deployed-${name}/package.json`, '{}')
      await workshop.npmInstall(deployed, external)
    }
    return { command: process.execPath, args: ['main.cjs'], cwd: deployed }
  }
  contract(remote(name, dynamodb, prepare), dynamodb)
}
