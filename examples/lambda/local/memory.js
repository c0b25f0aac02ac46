'use strict'

// The same app with sessions in memory, as a baseline.

const serverless = require('serverless-http')
const { createApp } = require('../app')

exports.handler = serverless(createApp())
