'use strict'

const { once } = require('node:events')
const http = require('node:http')
const { npm } = require('./release')

/** A registry that has this release, and sends for all else to the registry of this machine. */
async function startRegistry(packages) {
  const upstream = (await npm(['config', 'get', 'registry'])).stdout.trim()
  const server = http.createServer(({ url, headers }, response) => {
    const [name, file] = decodeURIComponent(url.slice(1)).split('/-/')
    const found = packages.find(({ manifest }) => manifest.name === name)
    if (!found) return response.writeHead(302, { location: new URL(url.slice(1), upstream).href }).end()
    if (file) return response.end(found.tarball)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(packument(found, `http://${headers.host}`)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close().closeAllConnections() }
}

function packument({ manifest, shasum, integrity }, host) {
  const { name, version } = manifest
  const dist = { shasum, integrity, tarball: `${host}/${name}/-/${name}-${version}.tgz` }
  return {
    name,
    'dist-tags': { latest: version },
    time: { created: '2026-01-01T00:00:00.000Z', [version]: '2026-01-01T00:00:00.000Z' },
    versions: { [version]: { ...manifest, dist } }
  }
}

module.exports = { startRegistry }
