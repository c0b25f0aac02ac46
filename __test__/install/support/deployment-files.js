'use strict'

// The files that deployment tools and frameworks need to build an app, by the name of the tool.

const cdk = {
  'cdk.cjs': `
    const { App, Stack } = require('aws-cdk-lib')
    const { Architecture, Runtime } = require('aws-cdk-lib/aws-lambda')
    const { NodejsFunction } = require('aws-cdk-lib/aws-lambda-nodejs')

    // Without Docker, npm runs on this machine. These variables make it install for the platform of the function.
    const environment = { npm_config_os: 'linux', npm_config_cpu: process.argv[2], npm_config_libc: 'glibc' }
    const app = new App({ outdir: 'cdk-' + process.argv[2] })
    new NodejsFunction(new Stack(app, 'Shop'), 'App', {
      entry: 'main.cjs',
      depsLockFilePath: 'package-lock.json',
      runtime: Runtime.NODEJS_22_X,
      architecture: process.argv[2] === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      bundling: { nodeModules: ['dynamodb-session', 'express-session'], environment }
    })
    app.synth()`
}

const serverless = {
  'serverless.yml': `
service: shop
frameworkVersion: '3'
provider:
  name: aws
  runtime: nodejs20.x
  architecture: x86_64
functions:
  app:
    handler: main.handler
plugins: [serverless-esbuild]
custom:
  esbuild:
    external: [dynamodb-session, express-session]
`
}

const sam = {
  'template.yaml': `
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31

Globals:
  Function:
    CodeUri: .
    Handler: main.handler
    Runtime: nodejs22.x
    Architectures: [x86_64]

Resources:
  Installed:
    Type: AWS::Serverless::Function

  Bundled:
    Type: AWS::Serverless::Function
    Properties:
      Layers: [!Ref Sessions]
    Metadata:
      BuildMethod: esbuild
      BuildProperties:
        EntryPoints: [main.cjs]
        External: [dynamodb-session, express-session]

  Sessions:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer
      CompatibleRuntimes: [nodejs22.x]
      CompatibleArchitectures: [x86_64]
    Metadata:
      BuildMethod: nodejs22.x
      BuildArchitecture: x86_64
`,
  'layer/package.json': JSON.stringify({
    name: 'layer',
    version: '1.0.0',
    dependencies: { 'dynamodb-session': '*', 'express-session': '1' }
  })
}

const next = {
  'next.config.js': `module.exports = { serverExternalPackages: ['dynamodb-session', 'express-session'] }`,
  'app/layout.js': `
    export default function Layout({ children }) {
      return <html><body>{children}</body></html>
    }`,
  // A route handler with its own store, independent of the custom server.
  'app/count/route.js': `
    import { DynamoDBStore } from 'dynamodb-session'
    export const dynamic = 'force-dynamic'
    export async function GET() {
      const store = new DynamoDBStore(JSON.parse(process.env.APP).store)
      const views = ((await store.get('route'))?.views ?? 0) + 1
      await store.set('route', { cookie: {}, views })
      await store.close()
      return Response.json({ views })
    }`,
  'server.js': `
    const express = require('express')
    const session = require('express-session')
    const next = require('next')
    const { DynamoDBStore } = require('dynamodb-session')

    async function main() {
      const store = new DynamoDBStore(JSON.parse(process.env.APP).store)
      const pages = next({ dev: false })
      await pages.prepare()
      const app = express()
      app.use(session({ store, secret: 'a secret of the tests', resave: false, saveUninitialized: false }))
      app.get('/custom', (req, res) => {
        req.session.views = (req.session.views ?? 0) + 1
        res.json({ views: req.session.views })
      })
      app.use((req, res) => pages.getRequestHandler()(req, res))
      const server = app.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port))
      process.stdin.resume().once('end', () => process.exit())
    }
    main()`
}

const nest = {
  'nest-cli.json': '{ "sourceRoot": "src" }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2022',
      outDir: 'dist',
      rootDir: 'src',
      strict: true,
      skipLibCheck: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true
    }
  }),
  'src/main.ts': `
    import { Controller, Get, Module, Session } from '@nestjs/common'
    import { NestFactory } from '@nestjs/core'
    import session = require('express-session')
    import { DynamoDBStore } from 'dynamodb-session'

    @Controller('count')
    class CountController {
      @Get()
      count(@Session() visit: Record<string, any>) {
        visit.views = (visit.views ?? 0) + 1
        return { views: visit.views }
      }
    }

    @Module({ controllers: [CountController] })
    class AppModule {}

    async function main() {
      const store = new DynamoDBStore(JSON.parse(process.env.APP!).store)
      const app = await NestFactory.create(AppModule, { logger: false })
      app.use(session({ store, secret: 'a secret of the tests', resave: false, saveUninitialized: false }))
      await app.listen(0, '127.0.0.1')
      console.log(await app.getUrl())
      process.stdin.resume().once('end', async () => {
        await app.close()
        await store.close()
      })
    }
    void main()`
}

module.exports = { cdk, nest, next, sam, serverless }
