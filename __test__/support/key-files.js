'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { temporaryDirectory } = require('./temporary-packages')

/** Different encryption keys with these IDs. */
const sampleKeys = (...ids) => ids.map((id, i) => ({ id, key: Buffer.alloc(32, i + 1).toString('base64') }))

/** The options of a store that encrypts under the first of these keys. */
const encryptedWith = (...keys) => ({ encryption: { keys } })

/** The name of a key file with these keys. It is deleted after the test. */
function keyFile(t, ...keys) {
  const file = path.join(temporaryDirectory(t), 'keys.json')
  fs.writeFileSync(file, JSON.stringify(keys))
  return file
}

module.exports = { encryptedWith, keyFile, sampleKeys }
