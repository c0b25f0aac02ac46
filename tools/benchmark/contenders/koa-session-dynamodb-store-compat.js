'use strict'

module.exports = {
  title: 'face of koa-session-dynamodb-store',
  isAddon: true,
  layout: 'koa',
  frameworks: ['koa'],
  answersByPromise: true,
  open({ endpoint, table }) {
    const Store = require('../../../lib/compat/koa-session-dynamodb-store.js')
    return new Store({ table: { name: table }, dynamoConfig: { endpoint, region: process.env.AWS_REGION } })
  }
}
