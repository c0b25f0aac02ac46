'use strict'

const session = require('express-session')
require('./serve.cjs')(require('dynamodb-session')(session))
