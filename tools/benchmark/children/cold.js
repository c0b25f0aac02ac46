'use strict'

// A process that starts, reads one session, and reports its times. Arguments: endpoint, table, contender, and optionally
// what it does besides: `stay` keeps it idle for a moment at the end, `twice` reads a second time, and `warm` does so and
// calls the store's `warm` first. The contender `bare` only loads express-session.

require('express-session')

const [, , endpoint, table, name, mode] = process.argv

function report(figures) {
  const send = () => process.send({ ...figures, memory: process.memoryUsage.rss() / 2 ** 20 }, () => process.exit())
  if (mode === 'stay') setTimeout(send, 500)
  else send()
}

/**
 * Adds the benchmark's certificate authority to those that Node.js loads at the first connection, as it does on AWS. With
 * NODE_EXTRA_CA_CERTS, the bare process would load them all too. The addon reads AWS_CA_BUNDLE.
 */
function trustAuthority(file) {
  const tls = require('node:tls')
  const { createSecureContext } = tls
  const authority = require('node:fs').readFileSync(file)
  tls.createSecureContext = (options) => {
    const secure = createSecureContext(options)
    secure.context.addCACert(authority)
    return secure
  }
}

/** Resolves to the milliseconds that a read takes. */
function read(store, { returnsPromises }) {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const done = (error, session) => {
      if (error || !session) reject(error ?? new Error('the session does not exist'))
      else resolve(performance.now() - start)
    }
    if (returnsPromises) store.get('a').then((session) => done(null, session), done)
    else store.get('a', done)
  })
}

async function readFirst() {
  // Loads one file of contenders only, because loading counts.
  const contender = name === 'lean' ? require('../contenders/lean.js') : require('../contenders/stores.js')[name]
  if (process.env.AWS_CA_BUNDLE && !contender.isAddon) trustAuthority(process.env.AWS_CA_BUNDLE)
  const start = performance.now()
  const store = contender.open({ endpoint, table })
  const loading = performance.now() - start
  if (mode === 'warm') await store.warm()
  const first = await read(store, contender)
  const sinceStart = performance.now()
  if (mode === 'twice' || mode === 'warm') report({ first, second: await read(store, contender) })
  else report({ sinceStart, loading })
}

if (name === 'bare') report({ sinceStart: performance.now(), loading: 0 })
else readFirst()
