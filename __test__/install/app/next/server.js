'use strict'

const express = require('express')
const session = require('express-session')
const next = require('next')
const { DynamoDBStore } = require('dynamodb-session')

async function main() {
  const store = new DynamoDBStore(JSON.parse(process.env.APP).store)
  const pages = next({ dev: false })
  await pages.prepare()
  const app = express()
  app.use(session({ store, secret: 'a secret of the tests', resave: false, saveUninitialized: false }))
  app.get('/custom', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json({ views: req.session.views })
  })
  app.use((req, res) => pages.getRequestHandler()(req, res))
  const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
  process.stdin.resume().once('end', () => process.exit())
}

main()
