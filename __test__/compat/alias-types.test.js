'use strict'

const assert = require('node:assert/strict')
const { cpSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode } = require('../support/child')
const { copyPackage, link, temporaryDirectory } = require('../support/temporary-packages')

const tsc = require.resolve('typescript/bin/tsc')
const types = path.join(root, '__test__', 'types')

/** The option `module` for each `moduleResolution`. */
const resolutions = { node10: 'commonjs', node16: 'node16', bundler: 'preserve' }

const paths = { 'koa-session6': [path.join(root, 'node_modules', '@types', 'koa-session', 'index.d.ts')] }

/** An app with this package under a name, and with the development dependencies of this repository. */
function newApp(t, name) {
  const directory = temporaryDirectory(t)
  link(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
  const app = path.join(directory, 'app')
  copyPackage(path.join(app, 'node_modules', name))
  return app
}

async function compile(app, resolution, options) {
  const compilerOptions = {
    module: resolutions[resolution],
    moduleResolution: resolution,
    target: 'es2022',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    skipLibCheck: true,
    ...options
  }
  writeFileSync(path.join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }))
  const { code, stdout } = await runNode([tsc, '-p', '.'], { cwd: app, timeLimit: 120_000 })
  assert.deepEqual([stdout, code], ['', 0])
}

describe('types of the compatible stores', () => {
  for (const resolution of Object.keys(resolutions)) {
    test(`types are those of connect-dynamodb if installed under its name (${resolution})`, async (t) => {
      const app = newApp(t, 'connect-dynamodb')
      const write = (file, text) => writeFileSync(path.join(app, file), text)
      // With node10, modules are CommonJS, in which compat.mts cannot have its top-level await.
      for (const file of resolution === 'node10' ? ['compat.cts'] : ['compat.cts', 'compat.mts']) {
        const text = readFileSync(path.join(types, file), 'utf8')
        const renamed = text.replaceAll('dynamodb-session/', 'connect-dynamodb/')
        write(file, renamed.replace('connect-dynamodb/connect-dynamodb', 'connect-dynamodb'))
      }
      // The type tests of connect-dynamodb. One constant has the name of an import, which is a class in this package.
      const original = readFileSync(path.join(root, 'node_modules', 'connect-dynamodb', 'index.test-d.ts'), 'utf8')
      const ours = original
        .replace('import { expectType } from "tsd";', 'declare function expectType<T>(value: T): void')
        .replace('from "."', 'from "connect-dynamodb"')
        .replace('const DynamoDBStore: DynamoDBStore', 'const Store: DynamoDBStore')
        .replaceAll('new DynamoDBStore(', 'new Store(')
      write('original.mts', ours)
      write(
        'names.mts',
        `import { type CallbackError, type DynamoDBStore, type DynamoDBStoreOptions } from 'connect-dynamodb'
         import { DynamoDBStore as Native } from 'connect-dynamodb'
         export const options: DynamoDBStoreOptions = { table: 'x', readCapacityUnits: 25, reapInterval: 0 }
         export const listener = (error: CallbackError, store: DynamoDBStore<{ user: string }>) =>
           error ?? store.initialize().then(() => new store(options).reap())
         export const native = new Native({ table: 'x' })`
      )
      await compile(app, resolution, { paths })
    })
  }

  // The type tests of this package compile these files with the other resolutions.
  test('types of every entry point are found (node10)', async (t) => {
    const app = newApp(t, 'dynamodb-session')
    for (const file of readdirSync(types).filter((name) => /\.c[tj]s$/.test(name))) {
      cpSync(path.join(types, file), path.join(app, file))
    }
    await compile(app, 'node10', { allowJs: true, checkJs: true, paths })
  })
})
