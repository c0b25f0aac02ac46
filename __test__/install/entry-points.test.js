'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { cleanEnvironment, runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { remoteApp } = require('./support/remote-app')
const { useProjects } = require('./support/projects')

const dynamodb = useDynamoDB()
const projects = useProjects()

/** The executable of a program, by default the Node.js of this process. */
const command = async (program) => (program ? projects.program(program) : process.execPath)

function runsOn(name, program, args, framework) {
  const prepare = async () => ({ command: await command(program), args, cwd: await projects.npmProject() })
  contract(remoteApp(name, dynamodb, prepare, framework), dynamodb)
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
  for (const [system, extension] of systems) runsOn(`${name}, ${system}`, program, [...args, `main.${extension}`])
}
runsOn('worker_threads', null, ['worker.cjs'])
runsOn('cluster', null, ['cluster.cjs'])
runsOn('child_process', null, ['child.cjs'])

const permission = ['--allow-addons', '--allow-fs-read=*']
runsOn('--permission of Node 22', 'node22', ['--experimental-permission', ...permission, 'main.cjs'])
runsOn('--permission of Node 24', 'node24', ['--permission', ...permission, 'main.cjs'])
runsOn('Deno with minimal permissions', 'deno', [
  'run',
  ...['ffi', 'env', 'read', 'net', 'sys'].map((name) => `--allow-${name}`),
  '--no-prompt',
  '--node-modules-dir=manual',
  'main.cjs'
])

for (const name of ['koa', 'fastify']) {
  const [framework] = require(`../contract/frameworks/${name}`)
  runsOn(`${framework.name}, installed by npm`, null, [`${name}-main.cjs`], framework)
}

/** For each entry point, the key of its table and a function that returns its options. */
const entries = {
  '.': [{ hashKey: 'id' }, (table) => ({ table })],
  './connect-dynamodb': [{ hashKey: 'id' }, (table) => ({ table })],
  './dynamodb-store': [{ hashKey: 'sessionId' }, (name) => ({ table: { name } })],
  './koa-session-dynamodb-store': [{ hashKey: 'sessionId' }, (name) => ({ table: { name } })],
  './baseline-koa-session-dynamodb-store': [{ hashKey: 'pk', sortKey: 'sk' }, (name) => ({ table: { name } })],
  './pwrdrvr-dynamodb-session-store': [{ hashKey: 'id' }, (tableName) => ({ tableName })]
}

test('the tests cover every entry point of package.json', () => {
  const { exports } = require('../../package.json')
  assert.deepEqual(Object.keys(exports), [...Object.keys(entries), './package.json'])
})

for (const [name, program, args] of runtimes) {
  for (const [system, extension] of systems) {
    test(`every entry point stores and destroys a session on ${name} (${system})`, async () => {
      const cwd = await projects.npmProject()
      const options = {}
      for (const [entry, [schema, tableOptions]] of Object.entries(entries)) {
        options[entry] = { ...dynamodb.connection, ...tableOptions(await dynamodb.newTable(schema)) }
      }
      const env = { ...cleanEnvironment(), ENTRIES: JSON.stringify(options) }
      const { stdout } = await projects.run(await command(program), [...args, `entries.${extension}`], { cwd, env })
      assert.deepEqual(
        JSON.parse(stdout),
        Object.fromEntries(Object.keys(entries).map((entry) => [entry, [entry, null]]))
      )
    })
  }
}

const frozenProject = () =>
  projects.npmInstall(projects.create('frozen'), [
    'dynamodb-session',
    'fastify@5',
    '@fastify/session@11',
    '@fastify/cookie@11'
  ])
const [fastify] = require('../contract/frameworks/fastify')
const prepareFrozen = async () => ({
  command: process.execPath,
  args: ['--frozen-intrinsics', 'fastify-main.cjs'],
  cwd: await frozenProject()
})
contract(remoteApp('--frozen-intrinsics, Fastify', dynamodb, prepareFrozen, fastify), dynamodb)

test('express-session itself cannot load with --frozen-intrinsics', async () => {
  const cwd = await projects.npmProject()
  const script = `try { require('express-session') } catch (error) { console.log(error.stack) }`
  const { stdout } = await runNode(['--frozen-intrinsics', '-e', script], { cwd })
  assert.match(stdout, /^TypeError: [^]*depd/)
})
