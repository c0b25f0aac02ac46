'use strict'

const path = require('node:path')
const { Worker } = require('node:worker_threads')

const worker = new Worker(path.join(__dirname, 'main.cjs'), { stdin: true })
process.stdin.pipe(worker.stdin)
