'use strict'

const fs = require('node:fs')
const path = require('node:path')

const examples = path.join(__dirname, '..')

/** Lets the examples find `dynamodb-session` as if it was installed beside them. */
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
