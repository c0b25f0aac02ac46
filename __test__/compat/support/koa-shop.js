'use strict'

// A program that runs a shop on koa-session. The parent process chooses the module of the store.

const { frameworks, startKoaApp } = require('./koa-app')
const { openShop } = require('./shop')

openShop(({ module, framework, ...options }) => {
  const Store = require(module)
  const { session } = frameworks.find(({ name }) => name === framework)
  return startKoaApp(session, { store: new Store(options), maxAge: 60_000 })
})
