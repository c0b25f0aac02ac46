'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { runNode } = require('../support/child')
const { link, write } = require('../support/temporary-packages')
const { run, useProjects } = require('./support/projects')

const projects = useProjects()
const { version } = require('../../package.json')
const linuxX64 = process.platform === 'linux' && process.arch === 'x64'
const canBuild = linuxX64 && spawnSync('cc', ['--version']).status === 0
const onLinux = { skip: linuxX64 ? false : 'uses the package names of Linux x64' }
const withCompiler = { skip: canBuild ? false : 'needs Linux x64 and a C compiler' }

const gnu = '@dynamodb-session/addon-linux-x64-gnu'
const musl = '@dynamodb-session/addon-linux-x64-musl'
const arm = '@dynamodb-session/addon-linux-arm64-gnu'
const fileOf = (name) => `${name.replace('@dynamodb-session/addon-', 'dynamodb-session.')}.node`
const again = `npm install --include=optional dynamodb-session@${version}`

/** An app that npm installed, with functions that remove and replace platform packages. */
async function installed(name) {
  const cwd = await projects.npmInstall(projects.create(name), ['dynamodb-session', 'express-session'])
  const modules = path.join(cwd, 'node_modules')
  return {
    cwd,
    remove: () => fs.rmSync(path.join(modules, gnu), { recursive: true }),
    put(other, file) {
      const folder = path.join(modules, other)
      const main = fileOf(other)
      write(path.join(folder, 'package.json'), JSON.stringify({ name: other, version, main }))
      fs.rmSync(path.join(folder, main), { force: true })
      if (file) fs.copyFileSync(file, path.join(folder, main))
      else fs.writeFileSync(path.join(folder, main), 'no addon')
      return path.join(folder, main)
    }
  }
}

/** Builds an addon that requires this version of this C library, by linking it against a fake of the library. */
async function buildAddon(directory, library, version) {
  const file = (name) => path.join(directory, name)
  fs.writeFileSync(file('library.c'), 'int required(void) { return 0; }')
  fs.writeFileSync(file('library.map'), `${version} { required; };`)
  fs.writeFileSync(file('addon.c'), 'int required(void); int addon(void) { return required(); }')
  const shared = ['-shared', '-fPIC', '-nostdlib']
  const named = [`-Wl,-soname,${library}`, `-Wl,--version-script=${file('library.map')}`]
  await run('cc', [...shared, ...named, file('library.c'), '-o', file('library.so')])
  await run('cc', [...shared, file('addon.c'), file('library.so'), '-o', file('foreign.node')])
  return file('foreign.node')
}

/** The lines of the error when the app does not start. */
async function errorOf(cwd, env) {
  const { code, stdout, stderr } = await runNode(['-e', `require('dynamodb-session')`], { cwd, env })
  assert.deepEqual([code, stdout], [1, ''])
  const [, message] = /^Error: ([^]*?)\n {4}at /m.exec(stderr) ?? assert.fail(stderr)
  return message.split('\n')
}

const headline = /^dynamodb-session \S+ cannot load its native addon \(Node\.js \S+, linux x64, glibc [\d.]+\)\.$/
const absent = (name) => [`  - the file ${fileOf(name)}: not found`, `  - the package ${name}: not found`]

describe('the error explains an installation with', onLinux, () => {
  test('a missing platform package', async () => {
    const { cwd, remove } = await installed('missing')
    remove()
    const [first, ...rest] = await errorOf(cwd)
    assert.match(first, headline)
    assert.deepEqual(rest, [
      'It tried:',
      ...absent(gnu),
      ...absent(musl),
      'The package manager did not install the addon: node_modules or the lockfile comes from a different platform, or ' +
        `optional dependencies were not installed. Delete node_modules and the lockfile, then run: ${again}`,
      `Or install only the addon: npm install --save-optional ${gnu}@${version}`,
      'In a clone of the repository, run: npm run build'
    ])
  })

  test('the platform package for a different processor', async () => {
    const cwd = projects.create('arm64')
    await projects.npmInstall(cwd, ['--os=linux', '--cpu=arm64', '--libc=glibc', 'dynamodb-session'])
    const lines = await errorOf(cwd)
    assert.ok(lines.includes(`Installed for a different platform: ${arm}`), lines.join('\n'))
    assert.ok(lines.some((line) => line.endsWith(again)))
  })

  test('the platform package for musl', withCompiler, async () => {
    const { cwd, put, remove } = await installed('musl')
    remove()
    put(musl, await buildAddon(cwd, 'libc.musl-x86_64.so.1', 'MUSL_1'))
    const lines = await errorOf(cwd)
    const reason = 'libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory'
    assert.ok(lines.includes(`  - the package ${musl}: ${reason}`), lines.join('\n'))
    assert.match(
      lines.at(-1),
      /^The installed addon is for a different C library: .*Delete node_modules, and run on this system: /
    )
    assert.ok(lines.at(-1).endsWith(again))
  })

  test('an addon for a newer glibc', withCompiler, async () => {
    const { cwd, put } = await installed('glibc')
    const addon = put(gnu, await buildAddon(cwd, 'libc.so.6', 'GLIBC_9.99'))
    const lines = await errorOf(cwd)
    const line = lines.find((text) => text.includes(`the package ${gnu}: `))
    assert.match(line, /libc\.so\.6: version `GLIBC_9\.99' not found \(required by /)
    assert.ok(line.includes(fs.realpathSync(addon)), line)
    assert.match(
      lines.at(-1),
      /^The C library of this system is older than the addon needs: glibc 2\.17 .* newer system/
    )
  })

  test('a damaged addon', async () => {
    const { cwd, put } = await installed('damaged')
    const addon = put(gnu)
    const lines = await errorOf(cwd)
    assert.ok(lines.includes(`  - the package ${gnu}: ${fs.realpathSync(addon)}: file too short`), lines.join('\n'))
    assert.equal(
      lines.at(-1),
      `The installed addon is damaged, or for a different platform. Delete node_modules, then run: ${again}`
    )
  })

  test('NAPI_RS_NATIVE_LIBRARY_PATH set to a missing or damaged file', async () => {
    const { cwd } = await installed('named')
    const advice =
      'If NAPI_RS_NATIVE_LIBRARY_PATH is set, no other addon is tried: set it to the full path of an addon, or unset it.'
    for (const [file, reason] of [
      [path.join(cwd, 'nowhere.node'), 'not found'],
      [write(path.join(cwd, 'text.node'), 'no addon'), `${path.join(cwd, 'text.node')}: file too short`]
    ]) {
      const lines = await errorOf(cwd, { NAPI_RS_NATIVE_LIBRARY_PATH: file })
      assert.deepEqual(lines.slice(1), ['It tried:', `  - the file ${file}: ${reason}`, advice])
    }
  })

  test('a different version of the platform package', async () => {
    const { cwd } = await installed('versions')
    const manifest = path.join(cwd, 'node_modules', gnu, 'package.json')
    write(manifest, fs.readFileSync(manifest, 'utf8').replace(`"${version}"`, '"9.8.7"'))
    const lines = await errorOf(cwd)
    assert.ok(lines.includes(`  - the package ${gnu}: it has version 9.8.7`), lines.join('\n'))
    assert.equal(lines.at(-1), `The package and its addon must have the same version. Reinstall: ${again}`)
  })

  test('express-session in a place where the store does not find it', async (t) => {
    const { cwd } = await installed('hidden')
    const found = path.join(cwd, 'node_modules', 'express-session')
    const bundle = path.join(cwd, 'bundle')
    fs.renameSync(found, bundle)
    link(path.join(cwd, 'node_modules'), path.join(bundle, 'node_modules'))
    t.after(() => fs.unlinkSync(path.join(bundle, 'node_modules')))
    const script = `
      const { DynamoDBStore } = require('dynamodb-session')
      const session = require('./bundle')
      const options = { secret: 'x', resave: false, saveUninitialized: false }
      const Store = require('dynamodb-session')(session)
      session({ ...options, store: new Store({ region: 'eu-west-1' }) })
      try {
        session({ ...options, store: new DynamoDBStore({ region: 'eu-west-1' }) })
      } catch ({ message }) {
        console.log(message)
      }`
    const { stdout, stderr } = await runNode(['-e', script], { cwd })
    assert.equal(stderr, '')
    assert.match(
      stdout,
      /^express-session uses this store, but dynamodb-session cannot find the express-session package\. .*\(session\)$/m
    )
  })
})
