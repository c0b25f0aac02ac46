'use strict'

// The corpus of each fuzz target is one file of Base64 lines, one line per input. cargo-fuzz works on a folder of files.
//   node tools/fuzz/corpus.js unpack item    writes tools/fuzz/corpus/item/, a file per input
//   node tools/fuzz/corpus.js pack item      replaces tools/fuzz/corpus/item.txt with the inputs of that folder

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

function unpack(file, folder) {
  fs.mkdirSync(folder, { recursive: true })
  for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const input = Buffer.from(line, 'base64')
    fs.writeFileSync(path.join(folder, createHash('sha1').update(input).digest('hex')), input)
  }
}

/** An empty input needs no line: every run begins with it. */
function pack(file, folder) {
  const inputs = fs.readdirSync(folder).map((name) => fs.readFileSync(path.join(folder, name), 'base64'))
  const lines = [...new Set(inputs)].filter(Boolean).toSorted()
  fs.writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
}

const [command, target] = process.argv.slice(2)
const commands = { pack, unpack }
if (!Object.hasOwn(commands, command) || !target) {
  console.error('Usage: node tools/fuzz/corpus.js <pack|unpack> <target>')
  process.exit(2)
}
const folder = path.join(__dirname, 'corpus', target)
commands[command](`${folder}.txt`, folder)
