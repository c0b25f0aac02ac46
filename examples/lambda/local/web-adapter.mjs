// Replaces the AWS Lambda Web Adapter on this machine: starts the app as a server of its own, waits until it responds, and
// forwards each event of an HTTP API or a function URL to it as an HTTP request.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const url = await startApp()

export async function handler({ rawPath, rawQueryString, headers, cookies, body, isBase64Encoded, requestContext }) {
  const response = await fetch(`${url}${rawPath}?${rawQueryString}`, {
    method: requestContext.http.method,
    headers: { ...headers, ...(cookies && { cookie: cookies.join('; ') }) },
    body: body && Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    redirect: 'manual'
  })
  return {
    statusCode: response.status,
    headers: Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie')),
    cookies: response.headers.getSetCookie(),
    body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    isBase64Encoded: true
  }
}

async function startApp() {
  const port = await freePort()
  const program = fileURLToPath(import.meta.resolve('../server.js'))
  const app = spawn(process.execPath, [program], { env: { ...process.env, PORT: port }, stdio: 'inherit' })
  app.on('exit', (code) => process.exit(code ?? 1))
  const url = `http://127.0.0.1:${port}`
  // Like the adapter, accept every response except a server error.
  while (!((await statusOf(url)) < 500)) await wait(10)
  return url
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

function statusOf(url) {
  return fetch(url).then(
    ({ status }) => status,
    () => undefined
  )
}
