'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { cleanEnvironment, runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { remote } = require('./support/remote')
const { openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()

/** The command for a program of the runtime; no program is the Node.js of this process. */
const command = async (program) => (program ? workshop.program(program) : process.execPath)

function loads(name, program, args, framework) {
  const prepare = async () => ({ command: await command(program), args, cwd: await workshop.npmProject() })
  contract(remote(name, dynamodb, prepare, framework), dynamodb)
}

const major = Number(process.versions.node.split('.')[0])
const runtimes = [
  [`Node ${major}`, null, []],
  ['Node 22', 'node22', []],
  ['Node 24', 'node24', []],
  ['Bun', 'bun', []],
  ['Deno', 'deno', ['run', '--allow-all', '--node-modules-dir=manual']]
]
const systems = [
  ['CommonJS', 'cjs'],
  ['module', 'mjs']
]

for (const [name, program, args] of runtimes) {
  for (const [system, extension] of systems) loads(`${name}, ${system}`, program, [...args, `main.${extension}`])
}
loads('worker_threads', null, ['worker.cjs'])
loads('cluster', null, ['cluster.cjs'])
loads('child_process', null, ['child.cjs'])

const permission = ['--allow-addons', '--allow-fs-read=*']
loads('--permission of Node 22', 'node22', ['--experimental-permission', ...permission, 'main.cjs'])
loads('--permission of Node 24', 'node24', ['--permission', ...permission, 'main.cjs'])
loads('Deno with the least permissions', 'deno', [
  'run',
  ...['ffi', 'env', 'read', 'net', 'sys'].map((name) => `--allow-${name}`),
  '--no-prompt',
  '--node-modules-dir=manual',
  'main.cjs'
])

for (const name of ['koa', 'fastify']) {
  const [framework] = require(`../contract/frameworks/${name}`)
  loads(`${framework.name}, packed`, null, [`${name}-main.cjs`], framework)
}

/** Each entry with the key of its table, and how its options name the table. */
const entries = {
  '.': [{ hashKey: 'id' }, (table) => ({ table })],
  './connect-dynamodb': [{ hashKey: 'id' }, (table) => ({ table })],
  './dynamodb-store': [{ hashKey: 'sessionId' }, (name) => ({ table: { name } })],
  './koa-session-dynamodb-store': [{ hashKey: 'sessionId' }, (name) => ({ table: { name } })],
  './baseline-koa-session-dynamodb-store': [{ hashKey: 'pk', sortKey: 'sk' }, (name) => ({ table: { name } })],
  './pwrdrvr-dynamodb-session-store': [{ hashKey: 'id' }, (tableName) => ({ tableName })]
}

test('every entry is tried here', () => {
  const { exports } = require('../../package.json')
  assert.deepEqual(Object.keys(exports), [...Object.keys(entries), './package.json'])
})

for (const [name, program, args] of runtimes) {
  for (const [system, extension] of systems) {
    test(`every entry on ${name}, ${system}`, async () => {
      const cwd = await workshop.npmProject()
      const options = {}
      for (const [entry, [schema, tableOptions]] of Object.entries(entries)) {
        options[entry] = { ...dynamodb.connection, ...tableOptions(await dynamodb.newTable(schema)) }
      }
      const env = { ...cleanEnvironment(), ENTRIES: JSON.stringify(options) }
      const { stdout } = await workshop.run(await command(program), [...args, `entries.${extension}`], { cwd, env })
      assert.deepEqual(
        JSON.parse(stdout),
        Object.fromEntries(Object.keys(entries).map((entry) => [entry, [entry, null]]))
      )
    })
  }
}

const frozen = () =>
  workshop.npmInstall(workshop.project('frozen'), [
    'dynamodb-session',
    'fastify@5',
    '@fastify/session@11',
    '@fastify/cookie@11'
  ])
const [fastify] = require('../contract/frameworks/fastify')
const prepareFrozen = async () => ({
  command: process.execPath,
  args: ['--frozen-intrinsics', 'fastify-main.cjs'],
  cwd: await frozen()
})
contract(remote('--frozen-intrinsics, Fastify', dynamodb, prepareFrozen, fastify), dynamodb)

test('--frozen-intrinsics is more than express-session itself can load in', async () => {
  const cwd = await workshop.npmProject()
  const script = `try { require('express-session') } catch (error) { console.log(error.stack) }`
  const { stdout } = await runNode(['--frozen-intrinsics', '-e', script], { cwd })
  assert.match(stdout, /^TypeError: [^]*depd/)
})
