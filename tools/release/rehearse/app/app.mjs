import express from 'express'
import session from 'express-session'
import { DynamoDBStore } from 'dynamodb-session'
import visit from './visit.cjs'

await visit(express, session, DynamoDBStore)
