'use strict'

const { randomBytes, scrypt, timingSafeEqual } = require('node:crypto')
const { promisify } = require('node:util')

const derive = (password, salt) => promisify(scrypt)(password, salt, 32)

const salt = randomBytes(16)
const users = [{ name: 'ann', salt, hash: derive('secret', salt) }]

const find = (name) => users.find((user) => user.name === name) ?? false

/** Resolves to the user if the password is right, otherwise to false. */
async function check(name, password) {
  const user = find(name)
  return user && timingSafeEqual(await user.hash, await derive(password, user.salt)) ? user : false
}

module.exports = { check, find }
