'use strict'

const { randomBytes, randomInt } = require('node:crypto')
const { statSync } = require('node:fs')
const { usageError } = require('../error.js')
const { KEY_ID, KEY_LENGTH } = require('../../lib/protection-options.js')
const { addToKeyFile } = require('../key-file.js')

module.exports = {
  summary: 'Create a key that encrypts sessions',
  description: `
Creates a random key of 32 bytes for the encryption option of the store. Without --file, prints a JSON array with the
new key, for example for a secret of AWS Secrets Manager.

With --file, puts the new key first in the file: the app then encrypts with the new key, and still decrypts with the
older ones. With --last, puts it last: the app can decrypt with it, but encrypts with it only when you move it to the
first place. Creates the file if it does not exist, with permissions only for its owner. An existing file keeps its
owner and its permissions. This command never prints the keys of an existing file, and never replaces a file that is
not a valid key file.

Keep the keys secret, and back them up separately from the table: without its key, a session cannot be read. This
command sends no requests.`,
  options: {
    id: {
      type: 'string',
      placeholder: 'id',
      description: 'ID of the key, which is stored in each session: 1 to 64 characters of A-Z a-z 0-9 _ . : / -',
      default: 'the date and 4 random characters',
      parse: parseId
    },
    file: { type: 'string', placeholder: 'file', description: 'Key file to add the key to', parse: parseFile },
    last: { type: 'boolean', description: 'Put the key last in the file, for the first step of a rotation' }
  },
  examples: ['keys --file keys.json', 'keys --id 2026-11 --file keys.json --last', 'keys'],

  run({ values, output }) {
    const { file, last } = values
    if (last && file === undefined) throw usageError('--last requires --file')
    const key = { id: values.id ?? newId(), key: randomBytes(KEY_LENGTH).toString('base64') }
    if (file === undefined) return output.text(JSON.stringify([key], null, 2))
    const keys = addToKeyFile(file, key, last)
    if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
      output.note(`all users of this host can access ${file}: to change that, run: chmod o= ${file}`)
    }
    return output.result({ file, id: key.id, keys }, [
      `added the key ${key.id} to ${file}, which now contains ${keys} ${keys === 1 ? 'key' : 'keys'}`
    ])
  }
}

function newId() {
  const characters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const random = Array.from({ length: 4 }, () => characters[randomInt(characters.length)]).join('')
  return `${new Date().toISOString().slice(0, 10)}-${random}`
}

function parseId(text, name) {
  if (KEY_ID.test(text)) return text
  throw usageError(`${name} must have 1 to 64 characters of A-Z a-z 0-9 _ . : / -`)
}

function parseFile(text, name) {
  if (text !== '') return text
  throw usageError(`${name} must be the name of a file`)
}
