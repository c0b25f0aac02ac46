'use strict'

// Upper bounds: stores that keep sessions in memory.

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

module.exports = { memory, 'koa-memory': koaMemory }
