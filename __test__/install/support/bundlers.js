'use strict'

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

module.exports = { bundleProgram, packages }
