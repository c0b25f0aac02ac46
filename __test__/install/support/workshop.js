'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after } = require('node:test')
const { root } = require('../../support/child')
const { startRegistry } = require('./registry')
const { npm, packRelease, run } = require('./release')

const modules = path.join(root, 'node_modules')
const cache = path.join(modules, '.cache', 'package-tests')
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** What the apps of these tests depend on. */
const appDependencies = ['express@5', 'express4@npm:express@4', 'express-session']
const otherFrameworks = ['koa@3', 'koa-session@7', 'fastify@5', '@fastify/session@11', '@fastify/cookie@11']

/** Programs that npm has, kept from run to run; none of their scripts run. */
const programs = {
  node22: `node22@npm:node-${platform}@22`,
  node24: `node24@npm:node-${platform}@24`,
  bun: 'bun@1',
  deno: 'deno@2',
  pnpm: 'pnpm@^10',
  yarn: '@yarnpkg/cli-dist@4'
}
const places = {
  node22: 'node22/bin/node',
  node24: 'node24/bin/node',
  bun: `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`,
  deno: `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/deno`,
  pnpm: 'pnpm/bin/pnpm.cjs',
  yarn: '@yarnpkg/cli-dist/bin/yarn.js'
}

/** Where projects are made of the packed release. Everything is made when it is first asked for. */
function openWorkshop() {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-package-')))
  const once_ = (make) => {
    let made
    return () => (made ??= make())
  }
  const registry = once_(async () => {
    const folder = path.join(directory, 'release')
    fs.mkdirSync(folder)
    return startRegistry(await packRelease(folder))
  })
  const tools = once_(async () => {
    if (Object.values(places).every((place) => fs.existsSync(path.join(cache, 'node_modules', place)))) return
    fs.mkdirSync(cache, { recursive: true })
    fs.writeFileSync(path.join(cache, 'package.json'), '{}')
    await npm(['install', '--no-audit', '--no-fund', ...Object.values(programs)], cache)
  })
  after(async () => {
    ;(await registry()).close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  const workshop = {
    run,
    async registry() {
      return (await registry()).url
    },
    async program(name) {
      await tools()
      return path.join(cache, 'node_modules', places[name])
    },
    /** A folder with the app's files and this `package.json`. */
    project(name, manifest = {}) {
      const folder = path.join(directory, name)
      fs.cpSync(path.join(__dirname, '..', 'app'), folder, { recursive: true })
      for (const name of ['express', 'koa', 'fastify']) {
        fs.copyFileSync(
          path.join(__dirname, '..', '..', 'contract', 'frameworks', `${name}.js`),
          path.join(folder, `${name}.cjs`)
        )
      }
      workshop.write(path.join(name, 'package.json'), JSON.stringify({ private: true, ...manifest }))
      return folder
    },
    write(file, text) {
      const target = path.join(directory, file)
      fs.mkdirSync(path.dirname(target), { recursive: true })
      fs.writeFileSync(target, text)
    },
    async npmInstall(folder, packages) {
      await npm(['install', '--no-audit', '--no-fund', `--registry=${await workshop.registry()}`, ...packages], folder)
      return folder
    },
    async npmCleanInstall(folder) {
      await npm(['ci', '--no-audit', '--no-fund', `--registry=${await workshop.registry()}`], folder)
    },
    /** The project of apps that npm installed, made once. */
    npmProject: once_(() =>
      workshop.npmInstall(workshop.project('npm'), ['dynamodb-session', ...appDependencies, ...otherFrameworks])
    )
  }
  return workshop
}

module.exports = { appDependencies, openWorkshop }
