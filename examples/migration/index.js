'use strict'

// Start both apps, as during a rolling deployment.
require('./before')
require('./after')
