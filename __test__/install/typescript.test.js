'use strict'

const path = require('node:path')
const fs = require('node:fs')
const { test } = require('node:test')
const { contract } = require('../contract/frameworks/contract')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { link } = require('../support/temporary-packages')
const { remoteApp } = require('./support/remote-app')
const { appDependencies, useProjects } = require('./support/projects')

const dynamodb = useDynamoDB()
const projects = useProjects()
const tsc = require.resolve('typescript/bin/tsc')
const compile = (cwd, args) => projects.run(process.execPath, [tsc, ...args], { cwd })

const resolutions = [
  ['node16', 'node16', 'typed.cts'],
  ['nodenext', 'nodenext', 'typed.mts'],
  ['bundler', 'esnext', 'typed.mts']
]

for (const [resolution, module, file] of resolutions) {
  const prepare = async () => {
    const types = ['@types/node', '@types/express-session']
    const packages = ['dynamodb-session', ...appDependencies, ...types]
    const cwd = await projects.npmInstall(projects.create(resolution), packages)
    const options = ['--strict', '--module', module, '--moduleResolution', resolution, '--target', 'es2022']
    await compile(cwd, [...options, file])
    return { command: process.execPath, args: [file.replace('ts', 'js')], cwd }
  }
  contract(remoteApp(`TypeScript app with moduleResolution ${resolution}`, dynamodb, prepare), dynamodb)
}

/** Runs the type tests with the types that npm installed. All other packages come from the repository. */
for (const [resolution, module] of [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['bundler', 'preserve']
]) {
  test(`the installed types pass the type tests with moduleResolution ${resolution}`, async () => {
    const project = projects.create(path.join(`types-${resolution}`, 'app'))
    await projects.npmInstall(project, ['dynamodb-session'])
    link(path.join(root, 'node_modules'), path.join(project, '..', 'node_modules'))
    const tests = path.join(__dirname, '..', 'types')
    fs.cpSync(tests, path.join(project, 'types'), { recursive: true })
    const { compilerOptions, exclude } = JSON.parse(fs.readFileSync(path.join(tests, 'tsconfig.json'), 'utf8'))
    const koa6 = '../../node_modules/@types/koa-session/index.d.ts'
    const settings = { ...compilerOptions, module, moduleResolution: resolution, paths: { 'koa-session6': [koa6] } }
    fs.writeFileSync(
      path.join(project, 'types', 'tsconfig.json'),
      JSON.stringify({ compilerOptions: settings, include: ['*'], exclude })
    )
    const { stdout } = await compile(project, ['-p', 'types', '--listFiles'])
    const packed = path.join(fs.realpathSync(project), 'node_modules', 'dynamodb-session', 'index.d.ts')
    if (!stdout.includes(packed)) throw new Error(`tsc used other types:\n${stdout}`)
  })
}
