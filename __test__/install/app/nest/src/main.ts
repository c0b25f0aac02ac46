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

void main()
