'use strict'

/**
 * The timers of Node.js, taken when the package loads, because a test may replace them later. Under jsdom, the global
 * timers are those of a browser.
 */
const { clearInterval, clearTimeout, setInterval, setTimeout } = require('node:timers')

module.exports = { clearInterval, clearTimeout, setInterval, setTimeout }
