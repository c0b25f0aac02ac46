'use strict'

const cluster = require('node:cluster')
const path = require('node:path')

cluster.setupPrimary({ exec: path.join(__dirname, 'main.cjs') })
cluster.fork().on('exit', (code) => (process.exitCode = code))
