'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root } = require('../support/child')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { run } = require('./support/projects')

/** A copy of the files in the repository. */
async function checkout(t) {
  const directory = temporaryDirectory(t)
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
  for (const name of files) {
    if (fs.existsSync(path.join(root, name))) fs.cpSync(path.join(root, name), path.join(directory, name))
  }
  await run('git', ['init', '--quiet'], { cwd: directory })
  await run('git', ['add', '.'], { cwd: directory })
  return directory
}

const check = (directory) =>
  run(process.execPath, [path.join('tools', 'release', 'check-package.js')], { cwd: directory })

function edit(directory, name, from, to) {
  const file = path.join(directory, name)
  const text = fs.readFileSync(file, 'utf8')
  assert.ok(text.includes(from), from)
  fs.writeFileSync(file, text.replace(from, to))
}

describe('check-package.js', () => {
  test('accepts the repository', async (t) => {
    assert.match((await check(await checkout(t))).stdout, /^The package has \d+ files\.\n$/)
  })

  for (const [name, change, message] of [
    [
      'an entry of "files" that does not exist',
      (directory) => edit(directory, 'package.json', '"lib",', '"lib", "nowhere",'),
      /lists nowhere/
    ],
    ['a missing file', (directory) => fs.rmSync(path.join(directory, 'index.d.ts')), /lists index\.d\.ts/],
    ['a file that npm always adds', (directory) => write(path.join(directory, 'README.txt'), ''), /does not list/],
    ['an addon', (directory) => write(path.join(directory, 'lib', 'x.node'), ''), /unexpected files/],
    [
      'a file that is not committed',
      (directory) => write(path.join(directory, 'lib', 'notes.md'), ''),
      /not in the repository/
    ],
    [
      'different versions of the package and the crate',
      (directory) => edit(directory, 'Cargo.toml', '\nversion = "', '\nversion = "1'),
      /different versions/
    ],
    [
      'a package of another version than the main package',
      (directory) => write(path.join(directory, 'packages', 'x', 'package.json'), '{"name":"x","version":"0.0.1"}'),
      /x and the main package have different versions/
    ]
  ]) {
    test(`rejects ${name}`, async (t) => {
      const directory = await checkout(t)
      change(directory)
      await assert.rejects(check(directory), ({ stderr }) => message.test(stderr))
    })
  }
})

test(
  'check-addon.sh rejects an addon that is not stripped, contains a path of the machine, or requires a newer glibc',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const directory = temporaryDirectory(t)
    const checkAddon = path.join(root, 'tools', 'release', 'check-addon.sh')
    const addon = path.join(directory, 'addon.node')
    const source = write(
      path.join(directory, 'addon.c'),
      '#include <stdlib.h>\nvoid *addon(void) { return malloc(1); }'
    )
    await run('cc', ['-shared', '-fPIC', source, '-o', addon])
    await assert.rejects(run('bash', [checkAddon, addon]), ({ stderr }) => /is not stripped/.test(stderr))
    await run('cc', ['-shared', '-fPIC', '-s', source, '-o', addon])
    assert.match((await run('bash', [checkAddon, addon, '2.99'])).stdout, /is stripped and wants glibc 2\./)
    await assert.rejects(run('bash', [checkAddon, addon, '2.1']), ({ stderr }) => /the floor is 2\.1/.test(stderr))
    fs.appendFileSync(addon, `${directory}/core/src/lib.rs`)
    await assert.rejects(run('bash', [checkAddon, addon], { cwd: directory }), ({ stderr }) =>
      stderr.includes(`contains the path ${directory}`)
    )
  }
)
