'use strict'

const express = require('express')
const session = require('express-session')
const { DynamoDBStore } = require('dynamodb-session')

require('./visit.cjs')(express, session, DynamoDBStore)
