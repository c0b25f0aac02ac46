import { randomBytes } from 'node:crypto'
import type { DynamoDBStore } from 'dynamodb-session'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'

export interface SessionOptions {
  store: DynamoDBStore
  /** Send the cookie only over HTTPS, with the prefix `__Host-`, so that no subdomain can set it. */
  secure: boolean
  /** Lifetime of the cookie in seconds. The store decides when the session ends. */
  maxAge: number
}

/** The session of one request. */
export class Session<Data extends object> {
  /** Change it as you like. It is saved after the handler, before the response is sent. */
  data: Partial<Data> = {}
  #id: string | undefined
  #store: DynamoDBStore
  #request: { ctx: Context }

  private constructor(store: DynamoDBStore, context: Context) {
    this.#store = store
    // With the context in both calls, `set` knows what `get` has read, so it sends nothing if nothing has changed, and
    // merges the changes of parallel requests.
    this.#request = { ctx: context }
  }

  /** Reads the session with this ID. An ID without a session is ignored, so that nobody can choose an ID. */
  static async open<Data extends object>(store: DynamoDBStore, id: string | undefined, context: Context) {
    const session = new Session<Data>(store, context)
    const data = isId(id) ? await store.get(id, undefined, session.#request) : null
    if (data !== null) {
      session.#id = id
      session.data = data
    }
    return session
  }

  /** The session ID, or undefined before the first save and after `destroy`. */
  get id() {
    return this.#id
  }

  /** Ends this session and starts another one. Call this at login: the new ID prevents session fixation. */
  async regenerate(data: Partial<Data> = {}) {
    await this.destroy()
    this.data = data
  }

  async destroy() {
    if (this.#id !== undefined) await this.#store.destroy(this.#id, this.#request)
    this.#id = undefined
    this.data = {}
  }

  /** Saves the session. Without an ID, an empty one is not saved. */
  async save() {
    if (this.#id === undefined && Object.keys(this.data).length === 0) return
    this.#id ??= randomBytes(32).toString('base64url')
    await this.#store.set(this.#id, this.data, undefined, this.#request)
  }
}

const isId = (id?: string): id is string => id !== undefined && /^[\w-]{43}$/.test(id)

/** Adds `c.var.session` to each request. Errors of the store reach `app.onError`. */
export function sessions<Data extends object>({ store, secure, maxAge }: SessionOptions) {
  const prefix = secure ? 'host' : undefined
  return createMiddleware<{ Variables: { session: Session<Data> } }>(async (c, next) => {
    const session = await Session.open<Data>(store, getCookie(c, 'session', prefix), c)
    const { id } = session
    c.set('session', session)
    await next()
    if (c.error) return
    await session.save()
    if (session.id === id) return
    const options = { httpOnly: true, sameSite: 'Lax', secure, path: '/', prefix } as const
    if (session.id === undefined) deleteCookie(c, 'session', options)
    else setCookie(c, 'session', session.id, { ...options, maxAge })
  })
}
