'use strict'

/** A generator of numbers in [0, 1) that are the same for the same seed (mulberry32). */
function seededRandom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

const characters = [
  'a',
  'Z',
  '0',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\0',
  '\u001f',
  '\u007f',
  'é',
  '\u2028',
  '日',
  '\ufeff',
  '🚀',
  '$',
  '#',
  ':'
]

/** Generates JSON values that both formats can store: at most 6 levels, no empty keys. */
class RandomJSON {
  constructor(seed) {
    this.random = seededRandom(seed)
  }

  below(limit) {
    return Math.floor(this.random() * limit)
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  text(shortest = 0) {
    return Array.from({ length: shortest + this.below(8) }, () => this.pick(characters)).join('')
  }

  number() {
    const size = 10 ** this.below(40)
    return this.pick([
      () => this.below(1000) - 500,
      () => this.below(2 ** 53),
      () => this.random() * size,
      () => -this.random() / size
    ])()
  }

  value(depth = 0) {
    const simple = [() => this.text(), () => this.number(), () => this.pick([true, false, null])]
    const nested = [() => this.list(depth + 1), () => this.object(depth + 1)]
    return this.pick(depth < 6 ? [...simple, ...nested] : simple)()
  }

  list(depth) {
    return Array.from({ length: this.below(5) }, () => this.value(depth))
  }

  object(depth = 0) {
    return Object.fromEntries(Array.from({ length: this.below(6) }, () => [this.text(1), this.value(depth)]))
  }
}

module.exports = { RandomJSON }
