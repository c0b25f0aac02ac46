'use strict'

/**
 * The key of a store's internal state. A private field would reject a proxy of the store and an object that
 * inherits from it. The property is not enumerable, so that printing and copying a store leave it out.
 */
const STATE = Symbol('dynamodb-session.state')

module.exports = { STATE }
