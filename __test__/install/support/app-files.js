'use strict'

// The files of the apps that the tests install the package for. `writeApp` writes all of them into a project, together with
// the apps of the framework contract, as express.cjs, koa.cjs, and fastify.cjs.

const fs = require('node:fs')
const path = require('node:path')
const { write } = require('../../support/temporary-packages')

const frameworks = path.join(__dirname, '..', '..', 'contract', 'frameworks')

/** Apps that serve until their standard input ends, with the function that all of them call. */
const servers = {
  'serve.cjs': `
    const { once } = require('node:events')
    const readline = require('node:readline')

    /** Serves the app of the contract with the settings in APP until standard input ends. Then the process must exit. */
    async function serve(DynamoDBStore, [{ start }] = require('./express.cjs')) {
      const { store: options, ...settings } = JSON.parse(process.env.APP)
      const store = new DynamoDBStore(options)
      const lines = readline.createInterface({ input: process.stdin })
      const pause = () => {
        console.log('paused')
        return once(lines, 'line')
      }
      const app = await start({ store, pause, ...settings })
      lines.once('close', async () => {
        await app.close()
        await store.close()
        if (process.connected) process.disconnect()
      })
      console.log(app.url)
    }

    module.exports = serve`,
  'main.cjs': `
    const { DynamoDBStore } = require('dynamodb-session')
    // A second entry point, which bundlers must also leave out of the bundle.
    require('dynamodb-session/connect-dynamodb')
    require('./serve.cjs')(DynamoDBStore)`,
  'main.mjs': `
    import { DynamoDBStore } from 'dynamodb-session'
    import 'dynamodb-session/connect-dynamodb'
    import serve from './serve.cjs'
    await serve(DynamoDBStore)`,
  'factory-main.cjs': `
    const session = require('express-session')
    require('./serve.cjs')(require('dynamodb-session')(session))`,
  'koa-main.cjs': `
    const { DynamoDBStore } = require('dynamodb-session')
    require('./serve.cjs')(DynamoDBStore, require('./koa.cjs'))`,
  'fastify-main.cjs': `
    const { DynamoDBStore } = require('dynamodb-session')
    require('./serve.cjs')(DynamoDBStore, require('./fastify.cjs'))`
}

/** Programs that run main.cjs in another process or thread. */
const launchers = {
  'child.cjs': `
    const { fork } = require('node:child_process')
    fork(require.resolve('./main.cjs')).on('exit', (code) => (process.exitCode = code))`,
  'cluster.cjs': `
    const cluster = require('node:cluster')
    cluster.setupPrimary({ exec: require.resolve('./main.cjs') })
    cluster.fork().on('exit', (code) => (process.exitCode = code))`,
  'worker.cjs': `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker(require.resolve('./main.cjs'), { stdin: true })
    process.stdin.pipe(worker.stdin)`
}

/** Programs that store and destroy a session with each entry point, and print what the store returned. */
const entryPoints = {
  'round-trip.cjs': `
    module.exports = async (classes) => {
      const results = {}
      for (const [entry, options] of Object.entries(JSON.parse(process.env.ENTRIES))) {
        const store = new classes[entry](options)
        await store.set('stored', { cookie: {}, entry })
        const session = await store.get('stored')
        await store.destroy('stored')
        results[entry] = [session?.entry, (await store.get('stored')) ?? null]
        await store.close?.()
      }
      console.log(JSON.stringify(results))
    }`,
  'entries.cjs': `
    const session = require('express-session')
    require('./round-trip.cjs')({
      '.': require('dynamodb-session').DynamoDBStore,
      './connect-dynamodb': require('dynamodb-session/connect-dynamodb')(session),
      './dynamodb-store': require('dynamodb-session/dynamodb-store'),
      './koa-session-dynamodb-store': require('dynamodb-session/koa-session-dynamodb-store'),
      './baseline-koa-session-dynamodb-store': require('dynamodb-session/baseline-koa-session-dynamodb-store'),
      './pwrdrvr-dynamodb-session-store': require('dynamodb-session/pwrdrvr-dynamodb-session-store').DynamoDBStore
    })`,
  'entries.mjs': `
    import session from 'express-session'
    import { DynamoDBStore } from 'dynamodb-session'
    import connectDynamoDB from 'dynamodb-session/connect-dynamodb'
    import DynamoDBStoreStore from 'dynamodb-session/dynamodb-store'
    import KoaStore from 'dynamodb-session/koa-session-dynamodb-store'
    import BaselineStore from 'dynamodb-session/baseline-koa-session-dynamodb-store'
    import { DynamoDBStore as PwrdrvrStore } from 'dynamodb-session/pwrdrvr-dynamodb-session-store'
    import roundTrip from './round-trip.cjs'
    roundTrip({
      '.': DynamoDBStore,
      './connect-dynamodb': connectDynamoDB(session),
      './dynamodb-store': DynamoDBStoreStore,
      './koa-session-dynamodb-store': KoaStore,
      './baseline-koa-session-dynamodb-store': BaselineStore,
      './pwrdrvr-dynamodb-session-store': PwrdrvrStore
    })`
}

/** The source of a TypeScript app, as CommonJS and as a module. */
const typed = `
  import type { Store } from 'express-session'
  import { DynamoDBStore, type DynamoDBStoreOptions } from 'dynamodb-session'
  import serve from './serve.cjs'
  const options: DynamoDBStoreOptions = { region: 'eu-west-1', ttl: 60 }
  const base: Store = new DynamoDBStore(options)
  if (typeof base.get === 'function') void serve(DynamoDBStore)`
const typescript = {
  'serve.d.cts': 'declare function serve(store: unknown): Promise<void>\nexport = serve',
  'typed.cts': typed,
  'typed.mts': typed
}

const files = { ...servers, ...launchers, ...entryPoints, ...typescript }

/** Writes the app into a folder. */
function writeApp(folder) {
  for (const [name, text] of Object.entries(files)) write(path.join(folder, name), text)
  for (const name of ['express', 'koa', 'fastify']) {
    fs.copyFileSync(path.join(frameworks, `${name}.js`), path.join(folder, `${name}.cjs`))
  }
}

module.exports = { writeApp }
