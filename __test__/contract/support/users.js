'use strict'

const assert = require('node:assert/strict')
const { newSession, newSid } = require('../../support/sessions')

/** Saves sessions of a user. Returns their IDs. */
async function logIn(store, userId, count = 1) {
  const sids = Array.from({ length: count }, () => newSid())
  for (let first = 0; first < count; first += 50) {
    await Promise.all(sids.slice(first, first + 50).map((sid) => store.set(sid, newSession({ userId }), 60_000)))
  }
  return sids
}

async function assertSessionsOf(store, user, sids) {
  assert.deepEqual((await store.idsOf(user)).sort(), [...sids].sort())
}

const exists = async (store, sid) => ((await store.get(sid)) ?? null) !== null

module.exports = { assertSessionsOf, exists, logIn }
