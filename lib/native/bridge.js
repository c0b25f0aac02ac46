'use strict'

const { plainJson } = require('../json.js')
const { Bridge, CompletionSlot, CompletionStatus, throwUncaught } = require('./loader.js')

const { Call: CALL, Status: STATUS, Text: TEXT, Number: NUMBER, Trace: TRACE, Warning: WARNING } = CompletionSlot
const SLOTS = WARNING + 1
const { Failed: FAILED, Succeeded: SUCCEEDED } = CompletionStatus

/** The handlers of completions, by the ID of the call. */
const handlers = new Map()
let lastCall = 0

/**
 * The bridge to the addon. Test runners report it as an open handle, so it exists only while a store is open. It keeps the process alive only while an operation is in progress.
 */
let bridge
let openStores = 0
let inProgress = 0

function newBridge() {
  const created = new Bridge(() => deliver(created.take()))
  return created
}

/** Delivers all queued completions. The addon wakes this thread once for all of them. */
function deliver(slots) {
  for (let i = 0; i < slots.length; i += SLOTS) {
    const handler = handlers.get(slots[i + CALL])
    handler?.(slots[i + STATUS], slots[i + TEXT], slots[i + NUMBER], slots[i + TRACE], slots[i + WARNING])
  }
}

function register(handler) {
  do lastCall = (lastCall + 1) >>> 0
  while (handlers.has(lastCall))
  handlers.set(lastCall, handler)
  return lastCall
}

/**
 * Starts an operation of the addon with `start(call)`. Resolves to `{ failed, status, text, number, trace, warning }`;
 * native.d.ts describes what each operation completes with. Keeps the process alive until then, unless `holdsProcess`
 * is false.
 */
function run(start, holdsProcess = true) {
  return new Promise((resolve) => {
    const call = register((status = SUCCEEDED, text, number, trace, warning) => {
      handlers.delete(call)
      if (holdsProcess && --inProgress === 0) bridge.keepAlive(false)
      resolve({ failed: status === FAILED, status, text, number, trace, warning })
    })
    if (holdsProcess && inProgress++ === 0) bridge.keepAlive(true)
    try {
      start(call)
    } catch ({ message }) {
      // The addon could not start the operation.
      const failure = { code: 'InternalError', message, cause: null }
      handlers.get(call)(FAILED, plainJson(failure))
    }
  })
}

/**
 * Opens a store of the addon. The store calls `provide`, if given, whenever it needs credentials.
 * Returns the store and a function that closes it.
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
 * Credentials functions, by native store. `handlers` has only a WeakRef to the function: the function refers to its store,
 * so a strong reference would keep both alive forever.
 */
const providers = new WeakMap()

/** Releases the resources of a store that is garbage-collected without `close`. */
const dropped = new FinalizationRegistry((release) => release())

/**
 * This is not part of `open`, because closures that are created in one function share its variables. `release` would then
 * keep `native` alive, and `dropped` would never call it.
 */
function releaseOnce(call) {
  let isOpen = true
  return () => {
    if (!isOpen) return
    isOpen = false
    handlers.delete(call)
    if (--openStores === 0) endBridge()
  }
}

function credentialsHandler(link, providerRef) {
  return async (_status, _text, requestId) => {
    const provide = providerRef.deref()
    const json = provide ? await credentialsAsJson(provide) : failure('the store was garbage-collected')
    link.giveCredentials(requestId, json)
  }
}

/**
 * Ends the bridge when the last store closes. A store closes only after its operations have ended, so at most probes of
 * the offline detector are still running.
 */
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
      if (typeof value !== 'string' || value === '') return failure(`the credentials function returned no ${name}`)
    }
    if (sessionToken != null && typeof sessionToken !== 'string') return failure('the sessionToken is not a string')
    if (accountId != null && typeof accountId !== 'string') return failure('the accountId is not a string')
    const milliseconds = expiration == null ? null : new Date(expiration).getTime()
    if (Number.isNaN(milliseconds)) return failure('the expiration of the credentials is not a date')
    return plainJson({ accessKeyId, secretAccessKey, sessionToken, expiration: milliseconds, accountId })
  } catch (error) {
    return failure(error instanceof Error ? `${error.name}: ${error.message}` : 'the credentials function threw')
  }
}

function failure(error) {
  return plainJson({ error })
}

module.exports = { open, run, throwUncaught }
