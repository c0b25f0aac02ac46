'use strict'

const median = (figure) => figure?.[0] ?? undefined

/** Finds medians in results, by contender and figure. Parts of the results may be missing. */
class Medians {
  constructor(results) {
    this.results = results
  }

  call(name, figure, { operation, size = 2048, inFlight = 64 }) {
    const cell = this.results.calls?.cells.find(
      (each) =>
        each.server === 'http' && each.operation === operation && each.size === size && each.inFlight === inFlight
    )
    return median(cell?.contenders[name]?.[figure])
  }

  /** Of Express pages that `read` or `write` the session. */
  app(name, figure, page = 'read') {
    const found = this.results.apps?.find((each) => each.framework === 'express' && each.page === page)
    return median(found?.contenders[name]?.[figure])
  }

  oneCore(name, figure) {
    return median(this.results.oneCore?.contenders[name]?.[figure])
  }

  /** Milliseconds that a store adds to the start of a bare process. */
  coldStart(name, figure) {
    const way = this.results.cold?.find((each) => each.server === 'https' && each.credentials === 'environment')
    return median(way?.contenders[name]?.[figure]) - (figure === 'loading' ? 0 : median(way?.contenders.bare[figure]))
  }

  /** Milliseconds by which the first get of a process is slower than the second one. */
  firstGet(name) {
    const { first, second } = this.results.warm?.[name] ?? {}
    return median(first) - median(second)
  }

  idleProcess(name) {
    const { idle } = this.results.memory ?? {}
    return median(idle?.[name]?.memory) - median(idle?.bare.memory)
  }

  store(name, figure) {
    return median(this.results.memory?.stores?.[name]?.[figure])
  }

  cost(title, figure) {
    return this.results.cost?.find((each) => each.title === title)?.[figure]
  }
}

module.exports = { Medians }
