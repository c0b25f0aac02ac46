'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { root } = require('./child')

/** A directory outside the repository that is deleted after the test. */
function temporaryDirectory(t) {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-')))
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Copies the files of the installed package. */
function copyPackage(target) {
  const { files } = require('../../package.json')
  const binaries = fs.readdirSync(root).filter((name) => name.endsWith('.node'))
  fs.mkdirSync(target, { recursive: true })
  for (const name of ['package.json', ...files, ...binaries]) {
    const source = path.join(root, name)
    if (fs.existsSync(source)) fs.cpSync(source, path.join(target, name), { recursive: true })
  }
}

/** Links a package from node_modules of the repository. */
function linkPackage(name, target) {
  link(path.join(root, 'node_modules', name), target)
}

function link(source, target) {
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.symlinkSync(source, target, 'junction')
}

function write(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}

module.exports = { copyPackage, link, linkPackage, temporaryDirectory, write }
