'use strict'

// A program: a shop on koa-session, with a store of the module that its parent names.

const { frameworks, startKoaApp } = require('./koa-app')
const { openShop } = require('./shop')

openShop(({ module, framework, ...options }) => {
  const Store = require(module)
  const { session } = frameworks.find(({ name }) => name === framework)
  return startKoaApp(session, { store: new Store(options), maxAge: 60_000 })
})
