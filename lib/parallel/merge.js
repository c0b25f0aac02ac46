'use strict'

const { isSameLifetime } = require('../lifetime.js')
const { fieldOf, isSame, isSameInMap, timeFields } = require('./changes.js')

/**
 * Merges three versions of a session, which were parsed from JSON: what a request read (`base`), what is stored now
 * (`theirs`), and what the request writes (`mine`). A field that the request has changed or deleted is the request's.
 * The other fields are the stored ones. Fields are merged as a whole, except `cookie`, whose own fields are merged.
 *
 * `mergeField(name, base, theirs, mine)` decides about fields that both have changed. Without it, the request's value
 * wins. `stampField` is left out, because each write renews it. `isMap` says whether sessions are stored as maps.
 *
 * Returns `{ session, changesTheirs, theyChanged, conflicts, own, lifetimeOf }`: the merged session; whether it differs
 * from the stored one, and whether that differs from the base, apart from the times that every save renews; the names
 * of the fields in conflict; the names of the fields with the request's value; and whose lifetime the session has
 * ('mine', 'theirs', or undefined if nobody has changed it).
 */
function mergeSessions(versions, { framework, stampField, mergeField, isMap }) {
  const merge = new Merge(isMap ? isSameInMap : isSame)
  const isKoa = framework === 'koa'
  const decide = (name, base, theirs, mine) => {
    if (mergeField === undefined && merge.isSameStored(theirs, mine)) return mine
    merge.conflicts.push(name)
    return mergeField === undefined ? mine : mergeField(name, base, theirs, mine)
  }
  const ignored = isKoa ? [stampField] : [stampField, 'cookie']
  const fields = merge.fields(versions, isKoa ? timeFields.koa : undefined, ignored, decide)
  if (!isKoa) merge.cookie(versions, fields)
  return { ...merge, session: Object.fromEntries(fields) }
}

class Merge {
  changesTheirs = false
  theyChanged = false
  conflicts = []
  own = new Set()
  lifetimeOf = undefined

  /** `isSameStored` compares values with those that are stored. */
  constructor(isSameStored) {
    this.isSameStored = isSameStored
  }

  /** The merged fields, in a Map. `times` names the fields with the lifetime, if this object has them. */
  fields({ base, theirs, mine }, times, ignored, decide) {
    const merged = new Map()
    const timeNames = times === undefined ? [] : [...times.renewed, ...times.lifetime]
    for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine), ...Object.keys(base)])) {
      // The cookie keeps its place.
      if (name === 'cookie' && ignored.includes(name)) merged.set(name, undefined)
      if (ignored.includes(name) || timeNames.includes(name)) continue
      const values = [fieldOf(base, name), fieldOf(theirs, name), fieldOf(mine, name)]
      const value = this.#value(name, ...values, decide)
      if (value !== undefined) merged.set(name, value)
    }
    if (times !== undefined) this.#times({ base, theirs, mine }, times, merged)
    return merged
  }

  #value(name, base, theirs, mine, decide) {
    const isMine = !isSame(base, mine)
    const isTheirs = !this.isSameStored(base, theirs)
    this.theyChanged ||= isTheirs
    if (!isMine) return theirs
    const value = isTheirs ? decide(name, base, theirs, mine) : mine
    if (isSame(value, mine)) this.own.add(name)
    this.changesTheirs ||= !this.isSameStored(value, theirs)
    return value
  }

  /** The times belong together, so all of them are from the same version. */
  #times({ base, theirs, mine }, { conflictName, renewed, lifetime }, merged) {
    const differs = (version) => lifetime.some((name) => !isSameLifetime(fieldOf(base, name), fieldOf(version, name)))
    const [isMine, isTheirs] = [differs(mine), differs(theirs)]
    this.theyChanged ||= isTheirs
    if (isMine) this.lifetimeOf = 'mine'
    else if (isTheirs) this.lifetimeOf = 'theirs'
    const isSameLife = lifetime.every((name) => isSameLifetime(fieldOf(theirs, name), fieldOf(mine, name)))
    if (isMine && isTheirs && !isSameLife) this.conflicts.push(conflictName)
    this.changesTheirs ||= isMine && !isSameLife
    const isLater = timeOf(mine[renewed[0]]) >= timeOf(theirs[renewed[0]])
    const source = isMine || (!isTheirs && isLater) ? mine : theirs
    for (const name of [...renewed, ...lifetime]) if (Object.hasOwn(source, name)) merged.set(name, source[name])
  }

  /** Merges the cookies into the fields, if a version has one. */
  cookie(versions, merged) {
    const cookies = Object.fromEntries(Object.entries(versions).map(([name, { cookie }]) => [name, objectOf(cookie)]))
    if (Object.values(versions).every(({ cookie }) => cookie === undefined)) return void merged.delete('cookie')
    const merge = new Merge(this.isSameStored)
    const mineWins = (name, base, theirs, mine) => {
      if (!this.isSameStored(theirs, mine)) merge.conflicts.push('cookie')
      return mine
    }
    merged.set('cookie', Object.fromEntries(merge.fields(cookies, timeFields.cookie, [], mineWins)))
    this.changesTheirs ||= merge.changesTheirs
    this.theyChanged ||= merge.theyChanged
    this.lifetimeOf = merge.lifetimeOf
    this.conflicts.push(...merge.conflicts)
    if (merge.own.size > 0) this.own.add('cookie')
  }
}

/** A version without a cookie counts as one with an empty cookie. */
function objectOf(cookie) {
  return typeof cookie === 'object' && cookie !== null ? cookie : {}
}

/** A time in milliseconds. A time that is missing counts as the earliest one. */
function timeOf(time) {
  const milliseconds = typeof time === 'string' ? Date.parse(time) : time
  return Number.isFinite(milliseconds) ? milliseconds : -Infinity
}

module.exports = { mergeSessions }
