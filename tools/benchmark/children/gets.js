'use strict'

// A process that only reads sessions, 16 at a time. Arguments: endpoint, table, contender, number of gets.

const { contenders } = require('../contenders')
const { newSession } = require('../support/sessions')

const [, , endpoint, table, name, gets] = process.argv
const store = contenders[name].open({ endpoint, table, everyTouch: true })

let started = 0
let completed = 0
function next(error) {
  if (error) throw error
  if (started++ < Number(gets)) store.get('a', done)
}

function done(error) {
  if (++completed === Number(gets)) process.exit()
  next(error)
}

// The bounds without a server return the session that was set.
store.set('a', newSession(2048), (error) => {
  if (error) throw error
  for (let lane = 0; lane < 16; lane++) next()
})

// Not every store keeps the process alive.
setInterval(() => {}, 1000)
