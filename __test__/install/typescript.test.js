'use strict'

const path = require('node:path')
const fs = require('node:fs')
const { test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { link } = require('../support/temporary-packages')
const { remote } = require('./support/remote')
const { appDependencies, openWorkshop } = require('./support/workshop')

const dynamodb = useDynamoDB()
const workshop = openWorkshop()
const tsc = require.resolve('typescript/bin/tsc')
const compile = (cwd, args) => workshop.run(process.execPath, [tsc, ...args], { cwd })

const resolutions = [
  ['node16', 'node16', 'typed.cts'],
  ['nodenext', 'nodenext', 'typed.mts'],
  ['bundler', 'esnext', 'typed.mts']
]

for (const [resolution, module, file] of resolutions) {
  const prepare = async () => {
    const types = ['@types/node', '@types/express-session']
    const packages = ['dynamodb-session', ...appDependencies, ...types]
    const cwd = await workshop.npmInstall(workshop.project(resolution), packages)
    const options = ['--strict', '--module', module, '--moduleResolution', resolution, '--target', 'es2022']
    await compile(cwd, [...options, file])
    return { command: process.execPath, args: [file.replace('ts', 'js')], cwd }
  }
  contract(remote(`TypeScript, ${resolution}`, dynamodb, prepare), dynamodb)
}

/** The type tests of the repository, on the types that npm installed; all else comes from the repository. */
for (const [resolution, module] of [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['bundler', 'preserve']
]) {
  test(`the types of every entry, ${resolution}`, async () => {
    const project = workshop.project(path.join(`types-${resolution}`, 'app'))
    await workshop.npmInstall(project, ['dynamodb-session'])
    link(path.join(root, 'node_modules'), path.join(project, '..', 'node_modules'))
    const tests = path.join(__dirname, '..', 'types')
    fs.cpSync(tests, path.join(project, 'types'), { recursive: true })
    const { compilerOptions } = JSON.parse(fs.readFileSync(path.join(tests, 'tsconfig.json'), 'utf8'))
    const koa6 = '../../node_modules/@types/koa-session/index.d.ts'
    const settings = { ...compilerOptions, module, moduleResolution: resolution, paths: { 'koa-session6': [koa6] } }
    fs.writeFileSync(
      path.join(project, 'types', 'tsconfig.json'),
      JSON.stringify({ compilerOptions: settings, include: ['*'] })
    )
    const { stdout } = await compile(project, ['-p', 'types', '--listFiles'])
    const packed = path.join(fs.realpathSync(project), 'node_modules', 'dynamodb-session', 'index.d.ts')
    if (!stdout.includes(packed)) throw new Error(`it looked at other types:\n${stdout}`)
  })
}
