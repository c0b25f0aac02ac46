'use strict'

/** Keeps a session in the store of each entry and says, by entry, what came back. */
async function keep(classes) {
  const kept = {}
  for (const [entry, options] of Object.entries(JSON.parse(process.env.ENTRIES))) {
    const store = new classes[entry](options)
    await store.set('kept', { cookie: {}, entry })
    const session = await store.get('kept')
    await store.destroy('kept')
    kept[entry] = [session?.entry, (await store.get('kept')) ?? null]
    await store.close?.()
  }
  console.log(JSON.stringify(kept))
}

module.exports = keep
