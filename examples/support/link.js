'use strict'

const fs = require('node:fs')
const path = require('node:path')

const examples = path.join(__dirname, '..')

/** Makes `require('dynamodb-session')` in the examples resolve to this repository. */
function linkPackage() {
  const link = path.join(examples, 'node_modules', 'dynamodb-session')
  fs.mkdirSync(path.dirname(link), { recursive: true })
  try {
    fs.symlinkSync(path.dirname(examples), link, 'junction')
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}

module.exports = { linkPackage }
