'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { contract } = require('../contract')
const { runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()

function loads(name, program, args) {
  const prepare = async () => {
    const cwd = await workshop.npmProject()
    return { command: program ? await workshop.program(program) : process.execPath, args, cwd }
  }
  contract(remote(name, dynamodb, prepare), dynamodb)
}

const major = Number(process.versions.node.split('.')[0])
const permission = ['--allow-addons', '--allow-fs-read=*']

loads(`Node ${major}, CommonJS`, null, ['main.cjs'])
loads(`Node ${major}, module`, null, ['main.mjs'])
loads('Node 22, CommonJS', 'node22', ['main.cjs'])
loads('Node 22, module', 'node22', ['main.mjs'])
loads('Node 24, CommonJS', 'node24', ['main.cjs'])
loads('Node 24, module', 'node24', ['main.mjs'])
loads('Bun', 'bun', ['main.cjs'])
loads('Deno', 'deno', ['run', '--allow-all', '--node-modules-dir=manual', 'main.cjs'])
loads('worker_threads', null, ['worker.cjs'])
loads('cluster', null, ['cluster.cjs'])
loads('child_process', null, ['child.cjs'])
loads('--permission of Node 22', 'node22', ['--experimental-permission', ...permission, 'main.cjs'])
loads('--permission of Node 24', 'node24', ['--permission', ...permission, 'main.cjs'])

for (const [resolution, module, file] of [
  ['node16', 'node16', 'typed.cts'],
  ['nodenext', 'nodenext', 'typed.mts'],
  ['bundler', 'esnext', 'typed.mts']
]) {
  const prepare = async () => {
    const cwd = await workshop.npmInstall(workshop.project(resolution), [
      'dynamodb-session',
      ...appDependencies,
      '@types/node',
      '@types/express-session'
    ])
    const tsc = require.resolve('typescript/bin/tsc')
    const options = ['--strict', '--module', module, '--moduleResolution', resolution, '--target', 'es2022', file]
    await workshop.run(process.execPath, [tsc, ...options], { cwd })
    return { command: process.execPath, args: [file.replace('ts', 'js')], cwd }
  }
  contract(remote(`TypeScript, ${resolution}`, dynamodb, prepare), dynamodb)
}

// express-session itself cannot be loaded in such a process.
test('--frozen-intrinsics, without express-session', async () => {
  const cwd = await workshop.npmInstall(workshop.project('frozen'), ['dynamodb-session'])
  const script = `
    const { DynamoDBStore } = require('dynamodb-session')
    const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
    const run = async () => {
      await store.set('frozen', { cookie: {}, user: 'Ann' })
      const { user } = await store.get('frozen')
      await store.destroy('frozen')
      console.log(user, await store.get('frozen'))
    }
    run()
  `
  const env = { OPTIONS: JSON.stringify(dynamodb.options()) }
  const { code, stdout } = await runNode(['--frozen-intrinsics', '-e', script], { cwd, env })
  assert.deepEqual([code, stdout], [0, 'Ann null\n'])
})
