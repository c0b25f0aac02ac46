'use strict'

const { contract } = require('../contract')
const { useDynamoDB } = require('../support/dynamodb')
const { remote } = require('./support/remote')
const { openWorkshop } = require('./support/workshop')

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
loads('--frozen-intrinsics', null, ['--frozen-intrinsics', 'main.cjs'])
