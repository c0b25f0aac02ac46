'use strict'

// A bound: MemoryStore for koa-session.
module.exports = {
  title: 'Map',
  layout: null,
  frameworks: ['koa'],
  answersByPromise: true,
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
