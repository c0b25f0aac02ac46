'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { runNode } = require('../support/child')
const { link, write } = require('../support/temporary-packages')
const { buildAddon } = require('./support/foreign-addon')
const { openWorkshop } = require('./support/workshop')

const workshop = openWorkshop()
const { version } = require('../../package.json')
const linuxX64 = process.platform === 'linux' && process.arch === 'x64'
const canBuild = linuxX64 && spawnSync('cc', ['--version']).status === 0
const onLinux = { skip: linuxX64 ? false : 'the names of these packages are those of Linux x64' }
const withCompiler = { skip: canBuild ? false : 'it takes Linux x64 and a C compiler' }

const gnu = '@dynamodb-session/addon-linux-x64-gnu'
const musl = '@dynamodb-session/addon-linux-x64-musl'
const arm = '@dynamodb-session/addon-linux-arm64-gnu'
const fileOf = (name) => `${name.replace('@dynamodb-session/addon-', 'dynamodb-session.')}.node`
const again = `npm install --include=optional dynamodb-session@${version}`

/** An app that npm installed, with the packages of platforms as the test wants them. */
async function installed(name) {
  const cwd = await workshop.npmInstall(workshop.project(name), ['dynamodb-session', 'express-session'])
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

/** What somebody reads whose app does not start. */
async function complaintOf(cwd, env) {
  const { code, stdout, stderr } = await runNode(['-e', `require('dynamodb-session')`], { cwd, env })
  assert.deepEqual([code, stdout], [1, ''])
  const [, message] = /^Error: ([^]*?)\n {4}at /m.exec(stderr) ?? assert.fail(stderr)
  return message.split('\n')
}

const headline = /^dynamodb-session \S+ found no addon that Node\.js \S+ can load on linux x64, glibc [\d.]+\.$/
const absent = (name) => [`  - the file ${fileOf(name)}: not there`, `  - the package ${name}: not there`]

describe('an installation with', onLinux, () => {
  test('the platform package missing', async () => {
    const { cwd, remove } = await installed('missing')
    remove()
    const [first, ...rest] = await complaintOf(cwd)
    assert.match(first, headline)
    assert.deepEqual(rest, [
      'It looked for:',
      ...absent(gnu),
      ...absent(musl),
      'The package manager did not install the addon: node_modules or the lockfile were made on another platform, or ' +
        `optional dependencies were left out. Delete node_modules and the lockfile, then: ${again}`,
      `Or add the missing one by hand: npm install --save-optional ${gnu}@${version}`,
      'In a checkout of the source: npm run build'
    ])
  })

  test('that of another processor in its place', async () => {
    const cwd = workshop.project('arm64')
    await workshop.npmInstall(cwd, ['--os=linux', '--cpu=arm64', '--libc=glibc', 'dynamodb-session'])
    const lines = await complaintOf(cwd)
    assert.ok(lines.includes(`Installed, but for another platform: ${arm}`), lines.join('\n'))
    assert.ok(lines.some((line) => line.endsWith(again)))
  })

  test('that for musl in its place', withCompiler, async () => {
    const { cwd, put, remove } = await installed('musl')
    remove()
    put(musl, await buildAddon(cwd, 'libc.musl-x86_64.so.1', 'MUSL_1'))
    const lines = await complaintOf(cwd)
    const answer = 'libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory'
    assert.ok(lines.includes(`  - the package ${musl}: ${answer}`), lines.join('\n'))
    assert.match(
      lines.at(-1),
      /^The installed addon is for the other C library: .*Delete node_modules, and on this one: /
    )
    assert.ok(lines.at(-1).endsWith(again))
  })

  test('an addon for a newer glibc', withCompiler, async () => {
    const { cwd, put } = await installed('glibc')
    const addon = put(gnu, await buildAddon(cwd, 'libc.so.6', 'GLIBC_9.99'))
    const lines = await complaintOf(cwd)
    const told = lines.find((line) => line.includes(`the package ${gnu}: `))
    assert.match(told, /libc\.so\.6: version `GLIBC_9\.99' not found \(required by /)
    assert.ok(told.includes(fs.realpathSync(addon)), told)
    assert.match(
      lines.at(-1),
      /^The C library of this system is older than the addon needs: glibc 2\.17 .* newer system/
    )
  })

  test('a file that is no addon', async () => {
    const { cwd, put } = await installed('damaged')
    const addon = put(gnu)
    const lines = await complaintOf(cwd)
    assert.ok(lines.includes(`  - the package ${gnu}: ${fs.realpathSync(addon)}: file too short`), lines.join('\n'))
    assert.equal(
      lines.at(-1),
      `What is installed is damaged, or of another platform. Delete node_modules, then: ${again}`
    )
  })

  test('NAPI_RS_NATIVE_LIBRARY_PATH that names nothing, or no addon', async () => {
    const { cwd } = await installed('named')
    const advice =
      'NAPI_RS_NATIVE_LIBRARY_PATH names the one file to load: give the full path of an addon, or leave it out.'
    for (const [file, answer] of [
      [path.join(cwd, 'nowhere.node'), 'not there'],
      [write(path.join(cwd, 'text.node'), 'no addon'), `${path.join(cwd, 'text.node')}: file too short`]
    ]) {
      const lines = await complaintOf(cwd, { NAPI_RS_NATIVE_LIBRARY_PATH: file })
      assert.deepEqual(lines.slice(1), ['It looked for:', `  - the file ${file}: ${answer}`, advice])
    }
  })

  test('another release of the platform package', async () => {
    const { cwd } = await installed('versions')
    const manifest = path.join(cwd, 'node_modules', gnu, 'package.json')
    write(manifest, fs.readFileSync(manifest, 'utf8').replace(`"${version}"`, '"9.8.7"'))
    const lines = await complaintOf(cwd)
    assert.ok(lines.includes(`  - the package ${gnu}: it is of version 9.8.7`), lines.join('\n'))
    assert.equal(lines.at(-1), `Addon and package must be of one version. Install again: ${again}`)
  })

  test('express-session out of its sight', async (t) => {
    const { cwd } = await installed('hidden')
    const seen = path.join(cwd, 'node_modules', 'express-session')
    const bundle = path.join(cwd, 'bundle')
    fs.renameSync(seen, bundle)
    link(path.join(cwd, 'node_modules'), path.join(bundle, 'node_modules'))
    t.after(() => fs.unlinkSync(path.join(bundle, 'node_modules')))
    const script = `
      const { DynamoDBStore } = require('dynamodb-session')
      const session = require('./bundle')
      const options = { secret: 'x', resave: false, saveUninitialized: false }
      const handed = require('dynamodb-session')(session)
      session({ ...options, store: new handed({ region: 'eu-west-1' }) })
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
