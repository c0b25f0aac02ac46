'use strict'

const { fork } = require('node:child_process')
const path = require('node:path')

fork(path.join(__dirname, 'main.cjs')).on('exit', (code) => (process.exitCode = code))
