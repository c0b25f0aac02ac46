'use strict'

// The same app with its sessions in memory, to see what a store adds.

const serverless = require('serverless-http')
const { createApp } = require('../app')

exports.handler = serverless(createApp())
