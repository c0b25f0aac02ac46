'use strict'

/**
 * The timers and the clock of Node.js, taken when the package loads, because a test may replace them later. Under jsdom, the global
 * timers are those of a browser.
 */
const { clearInterval, clearTimeout, setInterval, setTimeout } = require('node:timers')

/** The time in milliseconds since the process started. */
const monotonicNow = performance.now.bind(performance)

module.exports = { clearInterval, clearTimeout, monotonicNow, setInterval, setTimeout }
