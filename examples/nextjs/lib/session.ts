import 'server-only'
import { randomBytes } from 'node:crypto'
import { cookies } from 'next/headers'
import { cache } from 'react'
import { day, store } from './store'

export interface Session {
  user: string
  views: number
}

const isProduction = process.env.NODE_ENV === 'production'
const cookieName = isProduction ? '__Host-session' : 'session'
const cookieOptions = { httpOnly: true, secure: isProduction, sameSite: 'lax', path: '/' } as const
const isId = (id?: string): id is string => id !== undefined && /^[\w-]{43}$/.test(id)

/** Reads the session of the current request. */
async function load() {
  const id = (await cookies()).get(cookieName)?.value
  if (!isId(id)) return null
  // With the same object, a save is merged with the changes that parallel requests have made since this read.
  const request = { ctx: {} }
  const session: Session | null = await store.get(id, undefined, request)
  return session && { id, session, request }
}

/** The session of the request, or null, for pages and layouts. They share one read, and must not change the session. */
export const readSession = cache(async () => {
  const loaded = await load()
  if (loaded === null) return null
  await store.touch(loaded.id, loaded.session) // a write only once per `touchAfter`
  return loaded.session
})

/** Changes the session, and returns it, or null. For actions and route handlers. */
export async function updateSession(change: (session: Session) => void) {
  const loaded = await load()
  if (loaded === null) return null
  change(loaded.session)
  await store.set(loaded.id, loaded.session, undefined, loaded.request)
  return loaded.session
}

/** Starts a session at login. The new ID prevents session fixation. */
export async function startSession(session: Session) {
  await endSession()
  const id = randomBytes(32).toString('base64url')
  await store.set(id, session)
  const jar = await cookies()
  jar.set(cookieName, id, { ...cookieOptions, maxAge: 30 * day })
}

export async function endSession() {
  const jar = await cookies()
  const id = jar.get(cookieName)?.value
  if (isId(id)) await store.destroy(id)
  jar.delete({ name: cookieName, ...cookieOptions })
}
