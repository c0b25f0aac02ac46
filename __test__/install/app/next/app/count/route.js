import { DynamoDBStore } from 'dynamodb-session'

export const dynamic = 'force-dynamic'

/** Counts in a session that the custom server does not know of. */
export async function GET() {
  const store = new DynamoDBStore(JSON.parse(process.env.APP).store)
  const views = ((await store.get('route'))?.views ?? 0) + 1
  await store.set('route', { cookie: {}, views })
  await store.close()
  return Response.json({ views })
}
