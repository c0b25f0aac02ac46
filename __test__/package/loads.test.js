'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { contract } = require('../contract')
const { runNode } = require('../support/child')
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
  const [framework] = require(`../frameworks/${name}`)
  loads(`${framework.name}, packed`, null, [`${name}-main.cjs`], framework)
}

const tables = {
  '.': { hashKey: 'id' },
  './connect-dynamodb': { hashKey: 'id' },
  './dynamodb-store': { hashKey: 'sessionId' },
  './koa-session-dynamodb-store': { hashKey: 'sessionId' },
  './baseline-koa-session-dynamodb-store': { hashKey: 'pk', sortKey: 'sk' },
  './pwrdrvr-dynamodb-session-store': { hashKey: 'id' }
}

test('each entry has a table here', () => {
  const { exports } = require('../../package.json')
  assert.deepEqual(Object.keys(exports), [...Object.keys(tables), './package.json'])
})

for (const [name, program, args] of runtimes) {
  for (const [system, extension] of systems) {
    test(`every entry on ${name}, ${system}`, async () => {
      const cwd = await workshop.npmProject()
      const entries = {}
      for (const [entry, schema] of Object.entries(tables)) {
        entries[entry] = dynamodb.options({ ...schema, table: await dynamodb.newTable(schema) })
      }
      const env = { ...process.env, ENTRIES: JSON.stringify(entries) }
      const { stdout } = await workshop.run(await command(program), [...args, `entries.${extension}`], { cwd, env })
      assert.deepEqual(
        JSON.parse(stdout),
        Object.fromEntries(Object.keys(tables).map((entry) => [entry, [entry, null]]))
      )
    })
  }
}

const options = () => ({ OPTIONS: JSON.stringify(dynamodb.options()) })

test('--frozen-intrinsics, without express-session', async () => {
  const cwd = await workshop.npmInstall(workshop.project('frozen'), ['dynamodb-session'])
  const script = `
    const { DynamoDBStore } = require('dynamodb-session')
    const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
    const run = async () => {
      await store.set('frozen', { cookie: {}, user: 'Ann' })
      const { user } = await store.get('frozen')
      await store.destroy('frozen')
      console.log(Object.isFrozen(Array.prototype), user, await store.get('frozen'))
    }
    run()
  `
  const { code, stdout } = await runNode(['--frozen-intrinsics', '-e', script], { cwd, env: options() })
  assert.deepEqual([code, stdout], [0, 'true Ann null\n'])
})

test('--frozen-intrinsics is more than express-session itself can load in', async () => {
  const cwd = await workshop.npmProject()
  const { code, stderr } = await runNode(['--frozen-intrinsics', '-e', `require('express-session')`], { cwd })
  assert.equal(code, 1)
  assert.match(stderr, /TypeError: .*\n(.*\n)*.*at .*node_modules.(?!dynamodb-session)/)
})
