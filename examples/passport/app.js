'use strict'

const express = require('express')
const session = require('express-session')
const passport = require('passport')
const { Strategy } = require('passport-local')
const { DynamoDBStore } = require('dynamodb-session')
const users = require('./users')

passport.use(
  new Strategy((name, password, done) => {
    users.check(name, password).then((user) => done(null, user), done)
  })
)
passport.serializeUser((user, done) => done(null, user.name)) // the session stores only the user's name
passport.deserializeUser((name, done) => done(null, users.find(name)))

const app = express()
app.use(express.json())
app.use(
  session({
    store: new DynamoDBStore({ table: 'sessions', createTable: true }),
    secret: process.env.SESSION_SECRET ?? 'for development only',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax' }
  })
)
app.use(passport.session())

app.get('/', ({ user, session }, res) => {
  if (!user) return res.status(401).json({ error: 'Log in first.' })
  session.views = (session.views ?? 0) + 1
  res.json({ user: user.name, views: session.views })
})

app.post('/login', passport.authenticate('local'), ({ user }, res) => {
  res.json({ user: user.name })
})

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({})))
})

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
