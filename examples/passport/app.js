'use strict'

const { randomBytes, scrypt, timingSafeEqual } = require('node:crypto')
const { promisify } = require('node:util')
const express = require('express')
const session = require('express-session')
const passport = require('passport')
const { Strategy } = require('passport-local')
const { DynamoDBStore } = require('dynamodb-session')

const derive = (password, salt) => promisify(scrypt)(password, salt, 32)

const salt = randomBytes(16)
// A real app has a database of users.
const users = [{ name: 'ann', salt, hash: derive('secret', salt) }]

const findUser = (name) => users.find((user) => user.name === name) ?? false

/** Resolves to the user if the password is right, otherwise to false. */
async function checkPassword(name, password) {
  const user = findUser(name)
  return user && timingSafeEqual(await user.hash, await derive(password, user.salt)) ? user : false
}

passport.use(
  new Strategy((name, password, done) => {
    checkPassword(name, password).then((user) => done(null, user), done)
  })
)
passport.serializeUser((user, done) => done(null, user.name)) // the session stores only the user's name
passport.deserializeUser((name, done) => done(null, findUser(name)))

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
