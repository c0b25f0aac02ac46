'use strict'

// Rolling updates: the processes of an app are replaced by processes with other options, and back, while its users are
// active. Old and new processes share the table.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { Client, startApp, startProcess } = require('../support/parallel-app')
const { newKey, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()
const native = entries[0]

const USERS = 4
/** The lifetime in the option maxLifetime, in seconds. */
const LONGEST = 1800

/** The keys, as text that can be sent to a process. */
const [one, two] = ['one', 'two'].map((id) => ({ id, key: newKey().key.toString('base64') }))

/** A user of the app, who sends requests to the processes that serve it now. */
class User {
  #data
  #turn = 0

  constructor(index) {
    this.name = `user-${index}`
    this.client = new Client([])
  }

  async logIn(urls) {
    this.client.urls = urls
    // Long enough to be compressed.
    this.#data = { userId: this.name, text: this.name.repeat(400) }
    await this.client.send({ set: this.#data })
  }

  /** Changes the session with requests to all processes, and looks at it in all of them. */
  async live(urls, isParallel) {
    this.client.urls = urls
    const requests = urls.map((_, index) => {
      const set = { [`field${this.#turn++}`]: this.#turn }
      Object.assign(this.#data, set)
      return () => this.client.copy(urls).send({ wait: isParallel ? 10 : 0, set }, index)
    })
    if (isParallel) await Promise.all(requests.map((send) => send()))
    else for (const send of requests) await send()
    for (let index = 0; index < urls.length; index++) {
      const { updated: _updated, lastModified: _lastModified, ...data } = await this.client.send({}, index)
      assert.deepEqual(data, this.#data, this.name)
    }
  }

  async logOut(urls) {
    const thief = this.client.copy(urls)
    this.client.urls = urls
    await this.client.send({ logout: true })
    assert.deepEqual(await thief.send(), {})
  }
}

/**
 * Deploys one version after another. `versions` are `{ options, original, check }`; `check(table, store)` runs when all
 * processes have the version, and all users have saved their sessions.
 */
async function roll(t, entry, versions, { framework = entry.frameworks[0], inProcesses = false } = {}) {
  const table = await dynamodb.newTable({ ...entry.schema, user: 'user' })
  const place = { connection: dynamodb.connection, table }
  const isParallel = entry === native
  const start = async ({ options, original }) => {
    if (inProcesses) return startProcess(framework, 'entry point', { name: entry.name, original, place, options })
    const store = original ? entry.original(place) : entry.create(place, options)
    const app = await startApp(framework, { store })
    return { url: app.url, store, close: () => (app.close(), store.close?.()) }
  }
  const users = Array.from({ length: USERS }, (_, index) => new User(index))
  const running = new Set()
  const open = async (version) => {
    const app = await start(version)
    running.add(app)
    return app
  }
  t.after(() => Promise.all([...running].map((app) => app.close())))
  let current = await open(versions[0])
  await Promise.all(users.map((user) => user.logIn([current.url])))
  for (const version of versions.slice(1)) {
    const next = await open(version)
    await Promise.all(users.map((user) => user.live([current.url, next.url], isParallel)))
    running.delete(current)
    await current.close()
    current = next
    await Promise.all(users.map((user) => user.live([current.url, current.url], isParallel)))
    await version.check?.(table, current.store, users)
  }
  await Promise.all(users.map((user) => user.logOut([current.url])))
  assert.deepEqual(await dynamodb.raw.items(table), [])
}

const sessionOf = ({ sess, session }) => sess ?? session

/** Checks that all sessions have this form: the ID of the key, `'compressed'`, or undefined. */
const allAre = (form) => async (table) => {
  const items = await dynamodb.raw.items(table)
  assert.equal(items.length, USERS)
  for (const item of items) {
    const { B: bytes } = sessionOf(item)
    const keyId = bytes?.[1] & 1 ? Buffer.from(bytes.subarray(3, 3 + bytes[2])).toString() : undefined
    assert.equal(keyId ?? (bytes && 'compressed'), form)
  }
}

/** Checks that the index finds the session of each user. */
async function allAreFound(_table, store, users) {
  for (const { name } of users) assert.equal((await store?.idsOf(name))?.length ?? 1, 1)
}

/** Checks that all sessions count their maximum lifetime. */
async function allCount(table) {
  for (const { created, expires } of await dynamodb.raw.items(table)) {
    assert.ok(nowInSeconds() - Number(created.N) < 100)
    assert.ok(Number(expires.N) <= Number(created.N) + LONGEST)
  }
}

const encryption = (keys, more) => ({ options: { encryption: { keys, ...more } } })
const reading = { ...encryption([one], { write: false }), check: allAre(undefined) }
const accepting = { ...encryption([one], { acceptPlain: true }), check: allAre('one') }

/** The steps of each option, between processes without it. */
const steps = {
  encryption: [reading, accepting, { ...encryption([one]), check: allAre('one') }, accepting, reading],
  'encryption with new keys': [
    reading,
    accepting,
    encryption([one, two]),
    { ...encryption([two, one]), check: allAre('two') },
    encryption([two]),
    encryption([two], { acceptPlain: true }),
    { ...encryption([two], { write: false }), check: allAre(undefined) }
  ],
  user: [{ options: { user: 'userId' }, check: allAreFound }],
  maxLifetime: [{ options: { maxLifetime: LONGEST }, check: allCount }]
}

/** The originals cannot read compressed sessions. */
const stepsWithoutOriginal = {
  ...steps,
  compression: [{ options: { compression: true }, check: allAre('compressed') }],
  'everything but hashIds': [
    { options: { ...reading.options, user: 'userId', maxLifetime: LONGEST }, check: allCount },
    { options: { ...accepting.options, user: 'userId', maxLifetime: LONGEST }, check: allAre('one') },
    {
      options: { ...accepting.options, user: 'userId', compression: { withEncryption: true }, maxLifetime: LONGEST },
      check: allAreFound
    },
    { options: { ...accepting.options, user: 'userId', maxLifetime: LONGEST }, check: allAreFound },
    { options: { ...reading.options, user: 'userId', maxLifetime: LONGEST }, check: allAreFound }
  ]
}

const without = { options: {}, check: allAre(undefined) }

for (const entry of entries) {
  describe(`a rolling update of ${entry.name} and back keeps users and their changes`, () => {
    for (const [name, versions] of Object.entries(stepsWithoutOriginal)) {
      for (const framework of entry === native ? entry.frameworks : entry.frameworks.slice(0, 1)) {
        test(`${name}, with ${framework}`, (t) => roll(t, entry, [without, ...versions, without], { framework }))
      }
    }
    if (entry === native) {
      for (const [name, versions] of Object.entries(stepsWithoutOriginal)) {
        test(`${name}, with an app in processes of its own`, (t) =>
          roll(t, entry, [without, ...versions, without], { inProcesses: true }))
      }
      return
    }
    const original = { original: true, check: allAre(undefined) }
    for (const [name, versions] of Object.entries(steps)) {
      test(`${name}, from the package that it replaces`, (t) => roll(t, entry, [original, ...versions, original]))
    }
  })
}
