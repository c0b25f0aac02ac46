'use strict'

// Placeholders for the addons of other platforms, with which a release can be packed and checked on one machine. Each one
// has only the header that identifies its system.

const fs = require('node:fs')
const path = require('node:path')
const { napi } = require('../../package.json')

const placeholders = {
  'linux-arm64-gnu': elf(0xb7, 'libc.so.6'),
  'linux-x64-gnu': elf(0x3e, 'libc.so.6'),
  'linux-arm64-musl': elf(0xb7, 'libc.so'),
  'linux-x64-musl': elf(0x3e, 'libc.so'),
  'darwin-arm64': machO(0x0100000c),
  'darwin-x64': machO(0x01000007),
  'win32-x64-msvc': pe(0x8664)
}

function elf(machine, library) {
  const bytes = Buffer.alloc(64)
  bytes.write('\x7fELF', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  bytes.write(`${library}\0`, 30, 'latin1')
  return bytes
}

function machO(processor) {
  const bytes = Buffer.alloc(32)
  bytes.writeUInt32LE(0xfeedfacf)
  bytes.writeUInt32LE(processor, 4)
  return bytes
}

function pe(machine) {
  const bytes = Buffer.alloc(96)
  bytes.write('MZ', 'latin1')
  bytes.writeUInt32LE(64, 0x3c)
  bytes.writeUInt16LE(machine, 68)
  return bytes
}

/** Adds the addons that are missing in the folder. */
function writePlaceholders(folder) {
  for (const [platform, bytes] of Object.entries(placeholders)) {
    const file = path.join(folder, `${napi.binaryName}.${platform}.node`)
    if (!fs.existsSync(file)) fs.writeFileSync(file, bytes)
  }
}

module.exports = { placeholders, writePlaceholders }
