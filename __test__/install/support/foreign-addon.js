'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { run } = require('./release')

/** Links an addon that wants this version of this C library; the linker is shown one that says it has it. */
async function buildAddon(directory, library, version) {
  const file = (name) => path.join(directory, name)
  fs.writeFileSync(file('library.c'), 'int wanted(void) { return 0; }')
  fs.writeFileSync(file('library.map'), `${version} { wanted; };`)
  fs.writeFileSync(file('addon.c'), 'int wanted(void); int addon(void) { return wanted(); }')
  const shared = ['-shared', '-fPIC', '-nostdlib']
  const named = [`-Wl,-soname,${library}`, `-Wl,--version-script=${file('library.map')}`]
  await run('cc', [...shared, ...named, file('library.c'), '-o', file('library.so')])
  await run('cc', [...shared, file('addon.c'), file('library.so'), '-o', file('foreign.node')])
  return file('foreign.node')
}

module.exports = { buildAddon }
