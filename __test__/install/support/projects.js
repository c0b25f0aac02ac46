'use strict'

const { execFile } = require('node:child_process')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { after } = require('node:test')
const { promisify } = require('node:util')
const { tarballOf } = require('../../../tools/release/check-release')
const { installPrograms, programPath } = require('../../../tools/release/programs')
const { root } = require('../../support/child')
const { write } = require('../../support/temporary-packages')
const { writeApp } = require('./app-files')

const run = promisify(execFile)
const modules = path.join(root, 'node_modules')
const napi = path.join(modules, '@napi-rs', 'cli', 'dist', 'cli.js')

/** The dependencies of the Express apps, and those of the other apps. */
const appDependencies = ['express@5', 'express4@npm:express@4', 'express-session']
const otherFrameworks = ['koa@3', 'koa-session@7', 'fastify@5', '@fastify/session@11', '@fastify/cookie@11']

const programs = ['node22', 'node24', 'bun', 'deno', 'pnpm', 'yarn', 'yarn1']

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
  const tools = lazy(() => installPrograms(programs))
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
      return programPath(name)
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

/** Packs the packages of a release: the main one and one for each platform. Only that of this platform has a real addon. */
async function packRelease(directory) {
  await npm(['pack', '--pack-destination', directory], root)
  const [tarball] = fs.readdirSync(directory)
  await run('tar', ['-xzf', tarball], { cwd: directory })
  fs.rmSync(path.join(directory, tarball))

  const copy = path.join(directory, 'package')
  await run(process.execPath, [napi, 'create-npm-dirs', '--npm-dir', 'npm'], { cwd: copy })
  fs.renameSync(path.join(copy, 'npm'), path.join(directory, 'platforms'))
  const addon = fs.readdirSync(root).find((name) => name.endsWith('.node'))
  const names = fs.readdirSync(path.join(directory, 'platforms'))
  const folders = names.map((name) => path.join(directory, 'platforms', name))
  for (const folder of folders) {
    const { main } = manifestOf(folder)
    if (main === addon) fs.copyFileSync(path.join(root, addon), path.join(folder, main))
    else fs.writeFileSync(path.join(folder, main), 'an addon of another platform')
  }

  const optionalDependencies = Object.fromEntries(folders.map(manifestOf).map(({ name, version }) => [name, version]))
  fs.writeFileSync(path.join(copy, 'package.json'), JSON.stringify({ ...manifestOf(copy), optionalDependencies }))
  await npm(['pack', copy, ...folders], directory)
  return [copy, ...folders].map((folder) => {
    const manifest = manifestOf(folder)
    const tarball = fs.readFileSync(path.join(directory, tarballOf(manifest.name)))
    const hash = (algorithm, encoding) => createHash(algorithm).update(tarball).digest(encoding)
    return { manifest, tarball, shasum: hash('sha1', 'hex'), integrity: `sha512-${hash('sha512', 'base64')}` }
  })
}

const manifestOf = (folder) => JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
const npm = (args, cwd) => run('npm', [...args, '--ignore-scripts'], { cwd, shell: process.platform === 'win32' })

/** A registry with these packages. It redirects requests for all others to the registry that npm is configured to use. */
async function startRegistry(packages) {
  const upstream = (await npm(['config', 'get', 'registry'])).stdout.trim()
  const server = http.createServer(({ url, headers }, response) => {
    const [name, file] = decodeURIComponent(url.slice(1)).split('/-/')
    const found = packages.find(({ manifest }) => manifest.name === name)
    if (!found) return response.writeHead(302, { location: new URL(url.slice(1), upstream).href }).end()
    if (file) return response.end(found.tarball)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(packument(found, `http://${headers.host}`)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close().closeAllConnections() }
}

function packument({ manifest, shasum, integrity }, host) {
  const { name, version } = manifest
  const dist = { shasum, integrity, tarball: `${host}/${name}/-/${name}-${version}.tgz` }
  return {
    name,
    'dist-tags': { latest: version },
    time: { created: '2026-01-01T00:00:00.000Z', [version]: '2026-01-01T00:00:00.000Z' },
    versions: { [version]: { ...manifest, dist } }
  }
}

module.exports = { appDependencies, npm, run, useProjects }
