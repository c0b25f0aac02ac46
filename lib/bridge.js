'use strict'

const { Bridge } = require('./load.js')

const STRIDE = 6

/** What waits for a completion of the addon, by call number. */
const handlers = new Map()
const bridge = new Bridge(deliver)
let lastCall = 0

/** Keeps the process alive while an operation is under way, and only then. */
const keepAlive = setInterval(() => {}, 2 ** 31 - 1).unref()
let underWay = 0

/** One wake-up of this thread brings all completions that wait. */
function deliver() {
  const flat = bridge.take()
  for (let i = 0; i < flat.length; i += STRIDE) {
    handlers.get(flat[i])?.(flat[i + 1], flat[i + 2], flat[i + 3], flat[i + 4], flat[i + 5])
  }
}

function register(handler) {
  do lastCall = (lastCall + 1) >>> 0
  while (handlers.has(lastCall))
  handlers.set(lastCall, handler)
  return lastCall
}

/**
 * Starts an operation of the addon with `start(call)`; resolves to `{ failed, text, number, trace, warning }`.
 * The process waits for it, unless `holdsProcess` is false.
 */
function run(start, holdsProcess = true) {
  return new Promise((resolve) => {
    const call = register((failed, text, number, trace, warning) => {
      handlers.delete(call)
      if (holdsProcess && --underWay === 0) keepAlive.unref()
      resolve({ failed, text, number, trace, warning })
    })
    if (holdsProcess && underWay++ === 0) keepAlive.ref()
    try {
      start(call)
    } catch ({ message }) {
      // The addon could not even start it.
      const failure = { code: 'InternalError', message, cause: null }
      handlers.get(call)(true, JSON.stringify(failure))
    }
  })
}

/**
 * Opens a store of the addon. `provide`, if given, is asked for credentials whenever they are needed.
 * Returns it with a function that lets go of `provide`.
 */
function open(settings, provide) {
  if (provide === undefined) return { native: bridge.openStore(JSON.stringify(settings), null), release() {} }
  const call = register(async (_failed, _text, question) => {
    bridge.giveCredentials(question, await credentialsAsJson(provide))
  })
  const native = bridge.openStore(JSON.stringify(settings), call)
  return { native, release: () => handlers.delete(call) }
}

async function credentialsAsJson(provide) {
  try {
    const given = await provide()
    const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = given ?? {}
    for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey })) {
      if (typeof value !== 'string' || value === '') return failure(`the credentials function gave no ${name}`)
    }
    if (sessionToken != null && typeof sessionToken !== 'string') return failure('the sessionToken is no string')
    if (accountId != null && typeof accountId !== 'string') return failure('the accountId is not a string')
    const milliseconds = expiration == null ? null : new Date(expiration).getTime()
    if (Number.isNaN(milliseconds)) return failure('the expiration of the credentials is no date')
    return JSON.stringify({ accessKeyId, secretAccessKey, sessionToken, expiration: milliseconds, accountId })
  } catch (error) {
    return failure(error instanceof Error ? `${error.name}: ${error.message}` : 'the credentials function threw')
  }
}

function failure(error) {
  return JSON.stringify({ error })
}

module.exports = { open, run }
