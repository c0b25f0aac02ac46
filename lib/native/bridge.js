'use strict'

const { plainJson } = require('../json.js')
const { Bridge, throwUncaught } = require('./loader.js')

const STRIDE = 6

/** What waits for a completion of the addon, by call number. */
const handlers = new Map()
let lastCall = 0

/**
 * The link to the addon. It is a handle of this thread that test runners report, so it exists only while a store is
 * open. It keeps the process alive only while an operation is under way.
 */
let bridge
let openStores = 0
let underWay = 0

function newBridge() {
  const made = new Bridge(() => deliver(made.take()))
  return made
}

/** One wake-up of this thread brings all completions that wait. */
function deliver(flat) {
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
      if (holdsProcess && --underWay === 0) bridge.keepAlive(false)
      resolve({ failed, text, number, trace, warning })
    })
    if (holdsProcess && underWay++ === 0) bridge.keepAlive(true)
    try {
      start(call)
    } catch ({ message }) {
      // The addon could not even start it.
      const failure = { code: 'InternalError', message, cause: null }
      handlers.get(call)(true, plainJson(failure))
    }
  })
}

/**
 * Opens a store of the addon. `provide`, if given, is asked for credentials whenever they are needed.
 * Returns it with a function that closes it.
 */
function open(settings, provide) {
  bridge ??= newBridge()
  const call = provide && register(credentialsHandler(bridge, new WeakRef(provide)))
  const native = bridge.openStore(plainJson(settings), call ?? null)
  openStores += 1
  if (provide) providers.set(native, provide)
  const release = releaseOnce(call)
  dropped.register(native, release)
  const close = () => {
    native.close()
    release()
  }
  return { native, close }
}

/**
 * Functions that give credentials, by the native store that asks them. Only the store keeps its function alive: the
 * function refers to the store, so a reference from `handlers` would keep both forever.
 */
const providers = new WeakMap()

/** Releases what a store that was dropped without `close` leaves behind. */
const dropped = new FinalizationRegistry((release) => release())

/** Apart from `open`, because closures of one function keep each other's variables alive. */
function releaseOnce(call) {
  let isOpen = true
  return () => {
    if (!isOpen) return
    isOpen = false
    handlers.delete(call)
    if (--openStores === 0) endBridge()
  }
}

function credentialsHandler(link, provider) {
  return async (_failed, _text, question) => {
    const provide = provider.deref()
    link.giveCredentials(question, provide ? await credentialsAsJson(provide) : failure('the store was dropped'))
  }
}

/** What is still waiting now is a probe of a closed store. */
function endBridge() {
  bridge.end()
  bridge = undefined
  handlers.clear()
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
    return plainJson({ accessKeyId, secretAccessKey, sessionToken, expiration: milliseconds, accountId })
  } catch (error) {
    return failure(error instanceof Error ? `${error.name}: ${error.message}` : 'the credentials function threw')
  }
}

function failure(error) {
  return plainJson({ error })
}

module.exports = { open, run, throwUncaught }
