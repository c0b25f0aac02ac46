'use strict'

const fs = require('node:fs')
const path = require('node:path')

const packages = path.join(__dirname, '..', '..', 'packages')

/** The folders of the packages that a release publishes after the main package: all in `packages` that are not private. */
function extraPackages() {
  if (!fs.existsSync(packages)) return []
  const folders = fs.readdirSync(packages).map((name) => path.join(packages, name))
  return folders.filter((folder) => fs.existsSync(path.join(folder, 'package.json')) && !manifestOf(folder).private)
}

function manifestOf(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
}

module.exports = { extraPackages, manifestOf }
