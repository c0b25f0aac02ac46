'use strict'

const { isDeepStrictEqual } = require('node:util')
const { isSameLifetime } = require('../lifetime.js')

/**
 * The fields that a framework writes on every save. If only they differ, the session has not changed. `lifetime` fields
 * change only if the app changes the session's lifetime. koa-session has these fields in the session, and the others
 * have them in the cookie. Conflicts of these fields are reported under one name.
 */
const timeFields = {
  koa: { conflictName: '_maxAge', renewed: ['_expire'], lifetime: ['_maxAge', '_session'] },
  cookie: { conflictName: 'cookie', renewed: ['expires', 'originalExpires'], lifetime: ['originalMaxAge'] }
}

const COOKIE_FIRST = '{"cookie":{'

/** koa-session puts its own fields at the end. A nested object cannot end like this. */
const KOA_END = /[{,]"_expire":\d+,"_maxAge":(\d+)\}$/

/**
 * Whether two texts hold the same session, apart from the fields that a save renews. Sessions that only look different,
 * because their fields are in a different order, count as different. This runs on every save, so it compares text
 * where it can.
 */
function isUnchanged(base, text, framework, stampField) {
  if (base === text) return true
  // The fields that a save renews keep their length, but @fastify/session adds one when it reads the session first.
  const isFirstOfFastify = framework === 'fastify' && !base.includes('"originalExpires":')
  if (base.length !== text.length && !isFirstOfFastify) return false
  if (stampField === undefined && !isFirstOfFastify) {
    if (framework === 'koa') {
      const end = KOA_END.exec(text)
      const baseEnd = end && KOA_END.exec(base)
      if (baseEnd) {
        return baseEnd[1] === end[1] && base.slice(0, baseEnd.index) === text.slice(0, end.index)
      }
    } else if (text.startsWith(COOKIE_FIRST) && base.startsWith(COOKIE_FIRST)) {
      const end = text.indexOf('}') + 1
      if (base.slice(end) !== text.slice(end)) return false
    }
  }
  const [one, other] = [JSON.parse(base), JSON.parse(text)]
  const ignored = framework === 'koa' ? ['_expire', stampField] : ['cookie', stampField]
  return (
    isSameExcept(ignored, one, other) && (framework === 'koa' || isSameCookie(one.cookie ?? {}, other.cookie ?? {}))
  )
}

function isSameCookie(one, other) {
  const { renewed, lifetime } = timeFields.cookie
  return isSameLifetime(one.originalMaxAge, other.originalMaxAge) && isSameExcept([...renewed, ...lifetime], one, other)
}

function isSameExcept(ignored, one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => ignored.includes(name) || isSame(fieldOf(one, name), fieldOf(other, name)))
}

/** The own field of an object that was parsed from JSON. */
function fieldOf(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Whether two values serialize to the same JSON. */
function isSame(one, other) {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

/** Whether two stored values are the same. DynamoDB does not keep the order of fields in maps. */
function isSameInMap(one, other) {
  return isSame(one, other) || isDeepStrictEqual(one, other)
}

module.exports = { fieldOf, isSame, isSameInMap, isUnchanged, timeFields }
