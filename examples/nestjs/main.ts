import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import session from 'express-session'
import { DynamoDBStore } from 'dynamodb-session'
import { AccountController } from './account.controller.js'

@Module({ controllers: [AccountController] })
class AppModule {}

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
  app.use(
    session({
      store: new DynamoDBStore({ table: 'sessions', createTable: true }),
      secret: process.env.SESSION_SECRET ?? 'for development only',
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax' }
    })
  )
  await app.listen(process.env.PORT ?? 3000, '127.0.0.1')
  console.log(`Listening on ${await app.getUrl()}`)
}

main()
