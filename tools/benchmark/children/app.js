'use strict'

// A process with an app. Arguments: the framework, the contender that is its session store, and optionally `clock`, which
// replaces the clock with one that moves only on request.

const { monitorEventLoopDelay } = require('node:perf_hooks')
const { once } = require('node:events')
const { contenders } = require('../contenders')
const { serve } = require('../support/children')
const { dataOf } = require('../support/sessions')
const { difference, peakMegabytes, runtimeUsage, usage } = require('../support/measurement')

const DAY = 86_400_000
const SECRET = 'a secret of the benchmark, of 32 characters and more'
const DELAY_RESOLUTION = 2

const [, , framework, name, clock] = process.argv

let requests = 0
let ahead = 0
if (clock === 'clock') {
  const { now } = Date
  Date.now = () => now() + ahead
  globalThis.Date = class extends Date {
    constructor(...args) {
      if (args.length > 0) super(...args)
      else super(Date.now())
    }
  }
}

const frameworks = { express: expressApp, koa: koaApp }

function expressApp(store, data) {
  const session = require('express-session')
  const app = require('express')()
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: DAY } }))
  app.get('/login', (req, res) => {
    Object.assign(req.session, data)
    res.json({ user: data.user.name })
  })
  app.get('/read', (req, res) => {
    requests += 1
    res.json({ user: req.session.user.name })
  })
  app.get('/write', (req, res) => {
    requests += 1
    req.session.count = requests
    res.json({ user: req.session.user.name })
  })
  return app
}

function koaApp(store, data) {
  const { createSession } = require('koa-session')
  const Koa = require('koa')
  const app = new Koa()
  app.keys = [SECRET]
  app.use(createSession({ store, maxAge: DAY }, app))
  const pages = {
    '/login': (ctx) => {
      Object.assign(ctx.session, data)
      ctx.body = { user: data.user.name }
    },
    '/read': (ctx) => {
      requests += 1
      ctx.body = { user: ctx.session.user.name }
    },
    '/write': (ctx) => {
      requests += 1
      ctx.session.count = requests
      ctx.body = { user: ctx.session.user.name }
    }
  }
  app.use((ctx) => pages[ctx.path](ctx))
  return app
}

const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION })
let before

serve({
  /** Starts the app with a store that has these options, and returns its URL. */
  async open({ size, ...options }) {
    const store = contenders[name].open(options)
    const server = frameworks[framework](store, dataOf(size)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${server.address().port}`
  },

  begin() {
    delay.enable()
    delay.reset()
    before = { ...usage(), ...runtimeUsage(), requests }
  },

  /**
   * The figures since `begin`: CPU time in microseconds and context switches of the addon's thread, both per request, and
   * event-loop delay in milliseconds.
   */
  end() {
    const { time: _, requests: count, ...used } = difference(before, { ...usage(), ...runtimeUsage(), requests })
    delay.disable()
    return {
      ...Object.fromEntries(Object.entries(used).map(([name, value]) => [name, value / count])),
      delay: delay.percentile(99) / 1e6 - DELAY_RESOLUTION
    }
  },

  peak: () => peakMegabytes(),

  later({ milliseconds }) {
    ahead += milliseconds
  }
})
