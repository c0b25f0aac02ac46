'use strict'

const elf = { 0x3e: 'x64', 0xb7: 'arm64' }
const machO = { 0x01000007: 'x64', 0x0100000c: 'arm64' }
const pe = { 0x8664: 'x64', 0xaa64: 'arm64' }

/** The system that an addon is built for, read from its header, in npm's terms. */
function systemOf(addon, name) {
  if (addon.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))) {
    return { os: 'linux', cpu: elf[addon.readUInt16LE(18)], libc: addon.includes('libc.so.6\0') ? 'glibc' : 'musl' }
  }
  if (addon.readUInt32LE(0) === 0xfeedfacf) return { os: 'darwin', cpu: machO[addon.readUInt32LE(4)] }
  if (addon.toString('latin1', 0, 2) === 'MZ') {
    return { os: 'win32', cpu: pe[addon.readUInt16LE(addon.readUInt32LE(0x3c) + 4)] }
  }
  throw new Error(`${name} is not an addon`)
}

/** The name of a package in the file name that `npm pack` gives its tarball. */
function packedName(name) {
  return name.replace('@', '').replace('/', '-')
}

module.exports = { packedName, systemOf }
