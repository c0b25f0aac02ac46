'use strict'

const { chmodSync, chownSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } = require('node:fs')
const { realpathSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs')
const { readKeys } = require('../lib/protection-options.js')
const { CommandError, usageError } = require('./error.js')

// The file with the encryption keys: a JSON array of { id, key }. No message contains a key.

/** The keys in a file, or with `-` on standard input, as they are there. Throws if they are not valid. */
function readKeyFile(file) {
  let text
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    requireName(file)
    throw invalidFile(file, `cannot be read: ${error.code}`)
  }
  let keys
  try {
    keys = JSON.parse(text)
  } catch {
    // The message of the error can contain a part of the file.
    throw invalidFile(file, 'is not valid JSON')
  }
  const { problem } = readKeys(keys)
  if (problem !== undefined) throw invalidFile(file, problem)
  return keys
}

/** Throws if the name of a file looks like keys, which somebody has passed instead. No message may contain them. */
function requireName(file) {
  if (!/^\s*[[{]|^[\w+/-]{43}=?$/.test(file)) return
  throw usageError('a key was given instead of the name of a key file')
}

function invalidFile(file, problem) {
  return new CommandError(`the key file ${file} ${problem}`, {
    code: 'InvalidKeyFile',
    hint: 'a key file has the keys of the app: a JSON array of { "id", "key" }, with keys of 32 bytes in base64'
  })
}

/**
 * Puts a key first or last in a file, and creates the file if it does not exist. Returns the number of keys. The file is
 * replaced in one step, so that no reader sees a part of it, and no failure loses a key.
 */
function addToKeyFile(file, key, isLast) {
  const isNew = !existsSync(file)
  if (isNew) requireName(file)
  const keys = isNew ? [] : readKeyFile(file)
  if (keys.some(({ id }) => id === key.id)) {
    throw usageError(`the key file ${file} already contains a key with the ID ${key.id}: use a different --id`)
  }
  const target = isNew ? file : realpathSync(file)
  const temporary = `${target}.new`
  const text = `${JSON.stringify(isLast ? [...keys, key] : [key, ...keys], null, 2)}\n`
  try {
    writeDurably(temporary, text, isNew ? undefined : statSync(target))
    renameSync(temporary, target)
  } catch (error) {
    if (error.code === 'EEXIST') {
      throw new CommandError(`cannot write the key file ${file}: ${temporary} exists`, {
        code: 'InvalidKeyFile',
        hint: 'if no other command is changing the key file, delete that file, and run this command again'
      })
    }
    rmSync(temporary, { force: true })
    throw new CommandError(`cannot write the key file ${file}: ${error.message}`, { code: 'InvalidKeyFile' })
  }
  return keys.length + 1
}

/** Creates a file that only its owner can read, or one with the owner and the mode of the file that it replaces. */
function writeDurably(file, text, replaced) {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  if (replaced === undefined) return
  const { uid, gid, mode } = statSync(file)
  if (uid !== replaced.uid || gid !== replaced.gid) chownSync(file, replaced.uid, replaced.gid)
  if (mode !== replaced.mode) chmodSync(file, replaced.mode & 0o777)
}

module.exports = { addToKeyFile, readKeyFile }
