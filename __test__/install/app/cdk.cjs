'use strict'

const { App, Stack } = require('aws-cdk-lib')
const { Architecture, Runtime } = require('aws-cdk-lib/aws-lambda')
const { NodejsFunction } = require('aws-cdk-lib/aws-lambda-nodejs')

// Without Docker, npm installs here: for the function's platform, if it is told so.
const environment = { npm_config_os: 'linux', npm_config_cpu: process.argv[2], npm_config_libc: 'glibc' }
const app = new App({ outdir: `cdk-${process.argv[2]}` })
new NodejsFunction(new Stack(app, 'Shop'), 'App', {
  entry: 'main.cjs',
  depsLockFilePath: 'package-lock.json',
  runtime: Runtime.NODEJS_22_X,
  architecture: process.argv[2] === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  bundling: { nodeModules: ['dynamodb-session', 'express-session'], environment }
})
app.synth()
