import { DynamoDBStoreError } from 'dynamodb-session'
import { updateSession } from '../../../lib/session'

export async function POST() {
  try {
    const session = await updateSession((session) => {
      session.views += 1
    })
    return session === null ? Response.json({ error: 'Log in first.' }, { status: 401 }) : Response.json(session)
  } catch (error) {
    if (!(error instanceof DynamoDBStoreError)) throw error
    console.error(error.message)
    return Response.json({ error: 'The session is unavailable.' }, { status: error.retryable ? 503 : 500 })
  }
}
