'use strict'

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

module.exports = serve
