'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { installPrograms, programPath } = require('../programs')

/** Starts a registry in an empty folder. It has only the packages with these names, and gets all others from `upstream`. */
async function startRegistry(folder, names, upstream) {
  await installPrograms(['verdaccio'])
  fs.mkdirSync(folder)
  const { runServer } = require(programPath('verdaccio'))
  const own = names.map((name) => [name, { access: '$all', publish: '$authenticated' }])
  const server = await runServer({
    storage: path.join(folder, 'storage'),
    self_path: folder,
    auth: { htpasswd: { file: path.join(folder, 'htpasswd') } },
    uplinks: { upstream: { url: upstream } },
    packages: { ...Object.fromEntries(own), '**': { access: '$all', proxy: 'upstream' } },
    max_body_size: '100mb',
    log: { type: 'file', path: path.join(folder, 'log'), level: 'warn' }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  const url = `http://127.0.0.1:${port}/`

  const userconfig = path.join(folder, 'npmrc')
  fs.writeFileSync(userconfig, `registry=${url}\n//127.0.0.1:${port}/:_authToken=${await tokenOf(url)}\n`)
  return { url, userconfig, close: () => server.close().closeAllConnections() }
}

/** Creates a user, and returns its token. */
async function tokenOf(url) {
  const name = 'rehearsal'
  const response = await fetch(new URL(`/-/user/org.couchdb.user:${name}`, url), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: 'only for the rehearsal' })
  })
  assert.equal(response.status, 201, 'the registry did not create a user')
  return (await response.json()).token
}

module.exports = { startRegistry }
