'use strict'

module.exports = {
  title: 'koa-session-dynamodb-store 1.1',
  layout: 'koa',
  frameworks: ['koa'],
  answersByPromise: true,
  open({ endpoint, table }) {
    const Store = require('koa-session-dynamodb-store')
    return new Store({ table: { name: table }, dynamoConfig: { endpoint, region: process.env.AWS_REGION } })
  }
}
