'use strict'

/** express-session's MemoryStore. */
const memory = {
  title: 'MemoryStore',
  layout: null,
  frameworks: ['express'],
  open() {
    const { MemoryStore } = require('express-session')
    return new MemoryStore()
  }
}

/** The equivalent for koa-session. */
const koaMemory = {
  title: 'Map',
  layout: null,
  frameworks: ['koa'],
  returnsPromises: true,
  open() {
    const texts = new Map()
    return {
      async get(sid) {
        const text = texts.get(sid)
        return text && JSON.parse(text)
      },
      async set(sid, session) {
        texts.set(sid, JSON.stringify(session))
      },
      async destroy(sid) {
        texts.delete(sid)
      }
    }
  }
}

/**
 * A contender is a session store, or a bound that shows what a store can reach:
 *   title            its name in the report
 *   isAddon          whether this package's addon sends its requests
 *   isCompatible     whether it is a compatible store of this package
 *   server           the server that it uses instead of a DynamoDB: redis
 *   layout           the layout of its items, a name in support/sessions.js; null if it uses no table
 *   readsOneSession  whether it can read only the first session of the servers that respond from memory
 *   frameworks       the frameworks it works with: express, koa
 *   returnsPromises  whether its methods return promises instead of taking callbacks
 *   missing()        why it cannot run, or null
 *   open(options)    creates it from { endpoint, table, everyTouch }. With `everyTouch`, it sends all touches. Otherwise
 *                    it is set up as its README recommends. Its modules load here, not before.
 */
const all = {
  ...require('./stores'),
  ...require('./redis'),
  // Upper bounds: session stores that keep sessions in memory.
  memory,
  'koa-memory': koaMemory,
  // A lower bound of the CPU time: what a store in JavaScript must do at least.
  lean: require('./lean'),
  // The cost of the boundary between JavaScript and the addon.
  crossing: require('./crossing')
}

const contenders = Object.fromEntries(Object.entries(all).map(([name, contender]) => [name, { name, ...contender }]))

/** The names that can run. Passes the reason for each of the others to `note`. */
function available(wanted, note) {
  return wanted.filter((name) => {
    const reason = contenders[name].missing?.() ?? null
    if (reason !== null) note(`${contenders[name].title} is left out: ${reason}.`)
    return reason === null
  })
}

module.exports = { available, contenders }
