'use strict'

const { pbkdf2Sync } = require('node:crypto')
const { DynamoDBStore } = require('dynamodb-session')

// A store cannot be sent to a worker, so each worker has its own, with its own connections.
const store = new DynamoDBStore({ table: 'sessions', maxConnections: 2 })

/** Writes a report into a session. Requests that use the session in the meantime keep their changes. */
async function report(sid) {
  // With the same object in both calls, the store merges this change with those of other requests.
  const task = { ctx: {} }
  const session = await store.get(sid, undefined, task)
  if (session === null) return
  session.report = createReport(session)
  await store.set(sid, session, undefined, task)
}

/** Takes a long time, so it must not run on the main thread. */
function createReport({ user, views }) {
  return { views, checksum: pbkdf2Sync(user, 'report', 500_000, 16, 'sha256').toString('hex') }
}

module.exports = report
