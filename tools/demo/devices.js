'use strict'

const { createHmac, randomBytes } = require('node:crypto')
const express = require('express')
const { loggedIn, newSession } = require('./shop')

const DEVICES = ['Phone', 'Tablet', 'Desktop']

/** Lists the devices of the user who is logged in, and logs them out. */
function devicesOf({ store, secret }) {
  const router = express.Router()

  router.get('/', loggedIn, async (request, response) => {
    const { user } = request.session
    const ids = await store.idsOf(user)
    const found = await Promise.all(ids.map(async (id) => ({ id, session: await store.get(id) })))
    const alive = found.filter(({ session }) => session?.user === user)
    const devices = alive.map(({ id, session: { device, since } }) => ({
      id: publicId(id),
      device,
      since,
      current: id === request.sessionID
    }))
    devices.sort((a, b) => b.current - a.current || a.since.localeCompare(b.since))
    response.json({ devices })
  })

  router.post('/', loggedIn, async (request, response) => {
    const { user } = request.session
    const count = (await store.idsOf(user)).length
    await store.set(randomBytes(24).toString('base64url'), {
      ...newSession(DEVICES[(count + DEVICES.length - 1) % DEVICES.length], user),
      cookie: {}
    })
    response.json({})
  })

  router.post('/logout', loggedIn, async (request, response) => {
    const except = request.body.others ? { except: request.sessionID } : {}
    response.json({ ended: await store.destroyAllOf(request.session.user, except) })
  })

  /** Names a session in the page. A session ID must not appear there: whoever has it can use the session. */
  const publicId = (id) => createHmac('sha256', secret).update(id).digest('base64url').slice(0, 12)

  return router
}

module.exports = { devicesOf }
