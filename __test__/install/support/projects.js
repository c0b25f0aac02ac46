'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after } = require('node:test')
const { root } = require('../../support/child')
const { write } = require('../../support/temporary-packages')
const { writeApp } = require('./app-files')
const { npm, packRelease, run, startRegistry } = require('./release')

const modules = path.join(root, 'node_modules')
const cache = path.join(modules, '.cache', 'package-tests')
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** The dependencies of the Express apps, and those of the other apps. */
const appDependencies = ['express@5', 'express4@npm:express@4', 'express-session']
const otherFrameworks = ['koa@3', 'koa-session@7', 'fastify@5', '@fastify/session@11', '@fastify/cookie@11']

/** Programs from npm, installed without scripts and cached across runs. */
const programs = {
  node22: `node22@npm:node-${platform}@22`,
  node24: `node24@npm:node-${platform}@24`,
  bun: 'bun@1',
  deno: 'deno@2',
  pnpm: 'pnpm@^10',
  yarn: '@yarnpkg/cli-dist@4'
}
const executables = {
  node22: 'node22/bin/node',
  node24: 'node24/bin/node',
  bun: `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`,
  deno: `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/deno`,
  pnpm: 'pnpm/bin/pnpm.cjs',
  yarn: '@yarnpkg/cli-dist/bin/yarn.js'
}

/** A temporary folder for projects that install the packed release from a local registry. Everything is created lazily. */
function useProjects() {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-package-')))
  const lazy = (create) => {
    let value
    return () => (value ??= create())
  }
  const registry = lazy(async () => {
    const folder = path.join(directory, 'release')
    fs.mkdirSync(folder)
    return startRegistry(await packRelease(folder))
  })
  const tools = lazy(async () => {
    if (Object.values(executables).every((file) => fs.existsSync(path.join(cache, 'node_modules', file)))) return
    fs.mkdirSync(cache, { recursive: true })
    fs.writeFileSync(path.join(cache, 'package.json'), '{}')
    await npm(['install', '--no-audit', '--no-fund', ...Object.values(programs)], cache)
  })
  after(async () => {
    ;(await registry()).close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  const projects = {
    run,
    async registryUrl() {
      return (await registry()).url
    },
    async program(name) {
      await tools()
      return path.join(cache, 'node_modules', executables[name])
    },
    /** Creates a folder with the files of the app, more files, and this `package.json`. */
    create(name, manifest = {}, files = {}) {
      const folder = path.join(directory, name)
      writeApp(folder)
      for (const [file, text] of Object.entries(files)) write(path.join(folder, file), text)
      write(path.join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }))
      return folder
    },
    /** Writes a file into a project. */
    write(file, text) {
      write(path.join(directory, file), text)
    },
    async npmInstall(folder, packages) {
      await npm(
        ['install', '--no-audit', '--no-fund', `--registry=${await projects.registryUrl()}`, ...packages],
        folder
      )
      return folder
    },
    async npmCleanInstall(folder) {
      await npm(['ci', '--no-audit', '--no-fund', `--registry=${await projects.registryUrl()}`], folder)
    },
    /** The project that npm installed. The tests of a file share it. */
    npmProject: lazy(() =>
      projects.npmInstall(projects.create('npm'), ['dynamodb-session', ...appDependencies, ...otherFrameworks])
    )
  }
  return projects
}

module.exports = { appDependencies, useProjects }
