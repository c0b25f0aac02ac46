'use strict'

// Both at once, as in the minutes of a rolling deployment.
require('./before')
require('./after')
