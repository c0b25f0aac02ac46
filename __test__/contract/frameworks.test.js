'use strict'

const apps = require('./frameworks/apps')
const { contract } = require('./frameworks/contract')
const { useDynamoDB } = require('../support/dynamodb')

const dynamodb = useDynamoDB()

for (const framework of Object.values(apps).flat()) contract(framework, dynamodb)
