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

function readFirst() {
  const start = performance.now()
  const contender = require(`../contenders/${name}.js`)
  const store = contender.open({ endpoint, table })
  const loading = performance.now() - start
  const done = (error, session) => {
    if (error || !session) throw error ?? new Error('there is no session')
    tell({ sinceStart: performance.now(), loading })
  }
  if (contender.answersByPromise) store.get('a').then((session) => done(null, session), done)
  else store.get('a', done)
}

if (name === 'bare') tell({ sinceStart: performance.now(), loading: 0 })
else readFirst()
