'use strict'

const { plainJson } = require('../json.js')
const { Bridge, CompletionSlot, CompletionStatus, throwUncaught } = require('./loader.js')

const { Call: CALL, Status: STATUS, Text: TEXT, Number: NUMBER, Trace: TRACE, Warning: WARNING } = CompletionSlot
const { Token: TOKEN, Created: CREATED } = CompletionSlot
const SLOTS = CREATED + 1
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
    handler?.(
      slots[i + STATUS],
      slots[i + TEXT],
      slots[i + NUMBER],
      slots[i + TRACE],
      slots[i + WARNING],
      slots[i + TOKEN],
      slots[i + CREATED]
    )
  }
}

function register(handler) {
  do lastCall = (lastCall + 1) >>> 0
  while (handlers.has(lastCall))
  handlers.set(lastCall, handler)
  return lastCall
}

/**
 * Starts an operation of the addon with `start(call)`. Resolves to `{ failed, status, text, number, trace, warning, token,
 * created }`; native.d.ts describes what each operation completes with. Keeps the process alive until then, unless `holdsProcess`
 * is false.
 */
function run(start, holdsProcess = true) {
  return new Promise((resolve) => {
    const call = register((status = SUCCEEDED, text, number, trace, warning, token, created) => {
      handlers.delete(call)
      if (holdsProcess && --inProgress === 0) bridge.keepAlive(false)
      resolve({ failed: status === FAILED, status, text, number, trace, warning, token, created })
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
 * Opens a store of the addon. The store calls `functions.credentials` and `functions.keys`, if given, whenever it needs
 * credentials or encryption keys. Both return a promise of JSON; see `credentialsJson` and `keysJson`.
 * Returns the store and a function that closes it.
 */
function open(settings, functions) {
  bridge ??= newBridge()
  const callOf = (provide) => provide && register(requestHandler(bridge, new WeakRef(provide)))
  const calls = [callOf(functions.credentials), callOf(functions.keys)]
  const native = bridge.openStore(plainJson(settings), calls[0] ?? null, calls[1] ?? null)
  openStores += 1
  providers.set(native, functions)
  const release = releaseOnce(calls)
  dropped.register(native, release)
  const close = () => {
    native.close()
    release()
  }
  return { native, close }
}

/**
 * The functions of each native store. `handlers` has only a WeakRef to a function: the function refers to its store, so a
 * strong reference would keep both alive forever.
 */
const providers = new WeakMap()

/** Releases the resources of a store that is garbage-collected without `close`. */
const dropped = new FinalizationRegistry((release) => release())

/**
 * This is not part of `open`, because closures that are created in one function share its variables. `release` would then
 * keep `native` alive, and `dropped` would never call it.
 */
function releaseOnce(calls) {
  let isOpen = true
  return () => {
    if (!isOpen) return
    isOpen = false
    for (const call of calls) handlers.delete(call)
    if (--openStores === 0) endBridge()
  }
}

function requestHandler(link, functionRef) {
  return async (_status, _text, requestId) => {
    const provide = functionRef.deref()
    link.answer(requestId, provide ? await provide() : failure('the store was garbage-collected'))
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

/** The JSON of what a credentials function returns. */
async function credentialsJson(provide) {
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

/** The JSON of what a function that returns encryption keys returns. The error that it throws may contain a key. */
async function keysJson(provide) {
  try {
    const { keys, problem } = require('../protection-options.js').readKeys(await provide())
    return keys === undefined ? failure(`the result of the function of option encryption ${problem}`) : plainJson(keys)
  } catch {
    return failure('the function that returns the encryption keys failed')
  }
}

function failure(error) {
  return plainJson({ error })
}

module.exports = { credentialsJson, keysJson, open, run, throwUncaught }
