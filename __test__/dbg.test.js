const { test } = require('node:test')
const R = '/work/w/t2/__test__/'
const { useDynamoDB } = require(R + 'support/dynamodb')
const { entries, openEntry } = require(R + 'support/entry-points')
const { Client, startApp } = require(R + 'support/parallel-app')
const dynamodb = useDynamoDB()
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
test('x', async (t) => {
  for (const onConflict of ['overwrite', 'merge']) {
  const { store, table } = await openEntry(t, dynamodb, entries[0], { onConflict, maxLifetime: 100 })
  const app = await startApp('fastify', { store })
  const c = new Client(app.url)
  for (let i = 0; i < 3; i++) {
    console.log(onConflict, await c.send({ set: { i } }).catch(e => e), (await dynamodb.raw.items(table)).map(({ id, created, expires, sess }) => [id.S, created.N, expires.N, sess.S]))
    await sleep(1100)
  }
  await app.close()
  }
})
