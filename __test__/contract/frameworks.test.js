'use strict'

const { contract } = require('./frameworks/contract')
const { useDynamoDB } = require('../support/dynamodb')

const frameworks = ['express', 'koa', 'fastify'].flatMap((name) => require(`./frameworks/${name}`))
const dynamodb = useDynamoDB()

for (const framework of frameworks) contract(framework, dynamodb)
