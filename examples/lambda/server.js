'use strict'

// The same app as an ordinary server, for example behind the AWS Lambda Web Adapter.

const { DynamoDBStore } = require('dynamodb-session')
const { createApp } = require('./app')

const store = new DynamoDBStore({ table: process.env.SESSIONS_TABLE })
const app = createApp(store)
app.set('trust proxy', 1) // for `secure: 'auto'`: a header says whether API Gateway got the request over HTTPS

// The adapter waits until the app listens, so the first invocation finds an open connection.
store.warm().then(listen, (error) => {
  console.error(error)
  listen()
})

function listen() {
  app.listen(process.env.PORT, (error) => {
    if (error) throw error
  })
}
