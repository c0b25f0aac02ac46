'use strict'

// Passes the session to the addon and back, with JSON but without a request.

class Crossing {
  #callbacks = new Map()
  #lastCall = 0

  constructor() {
    const { Bridge, CompletionSlot } = require('../../../lib/native/loader.js')
    const { nativeSettings } = require('../../../lib/native/settings.js')
    const { readOptions } = require('../../../lib/options.js')
    this.slot = CompletionSlot
    this.slotCount = Object.keys(CompletionSlot).length
    this.bridge = new Bridge(() => this.#deliver())
    this.native = this.bridge.openStore(JSON.stringify(nativeSettings(readOptions())))
  }

  #deliver() {
    const slots = this.bridge.take()
    for (let i = 0; i < slots.length; i += this.slotCount) {
      const call = slots[i + this.slot.Call]
      const callback = this.#callbacks.get(call)
      this.#callbacks.delete(call)
      callback(slots[i + this.slot.Text])
    }
  }

  #echo(text, callback) {
    const call = (this.#lastCall = (this.#lastCall + 1) >>> 0)
    this.#callbacks.set(call, callback)
    this.native.echo(call, text)
  }

  get(sid, callback) {
    this.#echo(this.text, (text) => callback(null, JSON.parse(text)))
  }

  set(sid, session, callback) {
    this.text = JSON.stringify(session)
    this.#echo(this.text, () => callback(null))
  }

  touch(sid, session, callback) {
    this.#echo(sid, () => callback(null))
  }
}

/** Why it cannot take part, or null. */
function missing() {
  const { NativeStore } = require('../../../lib/native/loader.js')
  return typeof NativeStore.prototype.echo === 'function' ? null : 'the addon has no `echo`'
}

module.exports = { title: 'boundary only', layout: null, frameworks: [], missing, open: () => new Crossing() }
