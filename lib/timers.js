'use strict'

/**
 * The timers of Node.js as they are when the package loads. A test may later replace them, and under jsdom the global
 * ones are those of a browser.
 */
const { clearInterval, clearTimeout, setInterval, setTimeout } = require('node:timers')

module.exports = { clearInterval, clearTimeout, setInterval, setTimeout }
