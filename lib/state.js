'use strict'

/**
 * The key of a store's internal state. A private field would not work on a proxy of the store or on an object that
 * inherits from it. The property is not enumerable, so printing or copying a store leaves it out.
 */
const STATE = Symbol('dynamodb-session.state')

module.exports = { STATE }
