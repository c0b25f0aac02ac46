'use strict'

/**
 * A contender is a store, or a bound of what a store can be:
 *   title             as the report calls it
 *   isAddon           whether its requests are made by this package's addon
 *   layout            of its items, a name in support/sessions.js; null without a table
 *   frameworks        of which it can be the store: express, koa
 *   answersByPromise  instead of by callbacks
 *   missing()         why it cannot take part, or null
 *   open(options)     makes it, of { endpoint, table, everyTouch }: whether all touches are sent, else it is set up
 *                     as its README says. Nothing is loaded before.
 */
const names = [
  'dynamodb-session',
  'connect-dynamodb',
  'pwrdrvr',
  'dynamodb-store',
  'koa-session-dynamodb-store',
  'lean',
  'crossing',
  'memory',
  'koa-memory',
  'connect-dynamodb-face',
  'pwrdrvr-face',
  'dynamodb-store-face',
  'koa-session-dynamodb-store-face'
]

const contenders = Object.fromEntries(names.map((name) => [name, { name, ...require(`./${name}.js`) }]))

/** Those of the names that can take part; `note` is told of the others. */
function available(wanted, note) {
  return wanted.filter((name) => {
    const reason = contenders[name].missing?.() ?? null
    if (reason !== null) note(`${contenders[name].title} is left out: ${reason}.`)
    return reason === null
  })
}

module.exports = { available, contenders }
