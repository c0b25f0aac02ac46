'use strict'

// A process from its start to the first session that it reads. Arguments: endpoint, table, contender; without a
// contender it does what all do before that. A fourth, `stay`, leaves it idle for a moment at the end.

require('express-session')

const [, , endpoint, table, name, stay] = process.argv

function tell(figures) {
  const told = () => process.send({ ...figures, memory: process.memoryUsage.rss() / 2 ** 20 }, () => process.exit())
  if (stay === 'stay') setTimeout(told, 500)
  else told()
}

/**
 * Node is to load its own authorities at the first connection, as it does on AWS, and the benchmark's besides. With
 * NODE_EXTRA_CA_CERTS it would load them all in the bare process too. The addon reads AWS_CA_BUNDLE.
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

function readFirst() {
  // Loads one file of contenders only, because loading counts.
  const contender = name === 'lean' ? require('../contenders/lean.js') : require('../contenders/stores.js')[name]
  if (process.env.AWS_CA_BUNDLE && !contender.isAddon) trustAuthority(process.env.AWS_CA_BUNDLE)
  const start = performance.now()
  const store = contender.open({ endpoint, table })
  const loading = performance.now() - start
  const done = (error, session) => {
    if (error || !session) throw error ?? new Error('there is no session')
    tell({ sinceStart: performance.now(), loading })
  }
  if (contender.returnsPromises) store.get('a').then((session) => done(null, session), done)
  else store.get('a', done)
}

if (name === 'bare') tell({ sinceStart: performance.now(), loading: 0 })
else readFirst()
