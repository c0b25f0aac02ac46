'use strict'

const { spawn } = require('node:child_process')
const { randomUUID } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')
const { text } = require('node:stream/consumers')

const folder = path.join(__dirname, '..')
const region = process.env.AWS_REGION ?? 'us-east-1'

/**
 * One execution environment: a process with the handler, and the Runtime API from which it requests invocations. As on
 * Lambda, the process is frozen while it waits for the next invocation.
 */
class LocalLambda {
  timeout = 15_000
  #server
  #process
  #spawned
  #idle // the open request of the process for its next invocation
  #waiting = []
  #running = new Map()
  #ended

  /** Starts the process and resolves when the handler is loaded. */
  static async start(handler, variables) {
    const lambda = new LocalLambda()
    try {
      await lambda.#start(handler, variables)
    } catch (error) {
      await lambda.stop()
      throw error
    }
    return lambda
  }

  get pid() {
    return this.#process.pid
  }

  /** Resolves to the handler's result. Rejects if the handler fails or takes too long. */
  invoke(event) {
    if (this.#ended) return Promise.reject(this.#ended)
    const { promise, resolve, reject } = settleable()
    this.#waiting.push({ id: randomUUID(), event, resolve, reject })
    this.#dispatch()
    return promise
  }

  async stop() {
    if (!this.#ended) {
      this.#signal('SIGKILL') // a frozen process receives no other signal
      await once(this.#process, 'exit')
    }
    this.#server.close().closeAllConnections()
  }

  async #start(handler, variables) {
    this.#server = http.createServer((request, response) => this.#serve(request, response))
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const ready = settleable()
    this.#running.set('init', ready)
    this.#spawned = performance.now()
    this.#process = spawn(process.execPath, [path.join(__dirname, 'bootstrap.js')], {
      cwd: folder,
      detached: true, // so that signals reach the processes that it starts
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...environment(),
        ...variables,
        _HANDLER: handler,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${this.#server.address().port}`
      }
    })
    this.#process.on('exit', (code, signal) => {
      this.#end(new Error(`the function exited with ${signal ?? code}`))
      this.#signal('SIGKILL')
    })
    await ready.promise
  }

  async #serve(request, response) {
    const [, kind, id = kind, outcome] = /^\/2018-06-01\/runtime\/(\w+)\/([\w-]+)(?:\/(\w+))?$/.exec(request.url)
    if (id === 'next') return this.#freeze(response)
    const body = JSON.parse((await text(request)) || 'null')
    const { resolve, reject } = this.#running.get(kind === 'init' ? kind : id)
    this.#running.delete(id)
    if (outcome === 'response') resolve(body)
    else reject(Object.assign(new Error(body.errorMessage), { name: body.errorType, stackTrace: body.stackTrace }))
    response.writeHead(202).end()
  }

  #freeze(response) {
    this.initMs ??= performance.now() - this.#spawned
    this.#running.get('init')?.resolve()
    this.#running.delete('init')
    this.#idle = response
    this.#signal('SIGSTOP')
    this.#dispatch()
  }

  #dispatch() {
    if (!this.#idle || this.#waiting.length === 0) return
    const { id, event, resolve, reject } = this.#waiting.shift()
    const late = setTimeout(() => this.#timeOut(), this.timeout)
    const settled = (settle) => (value) => clearTimeout(late) ?? settle(value)
    this.#running.set(id, { resolve: settled(resolve), reject: settled(reject) })
    this.#signal('SIGCONT')
    this.#idle.writeHead(200, {
      'Lambda-Runtime-Aws-Request-Id': id,
      'Lambda-Runtime-Deadline-Ms': Date.now() + this.timeout,
      'Lambda-Runtime-Invoked-Function-Arn': `arn:aws:lambda:${region}:000000000000:function:example`
    })
    this.#idle.end(JSON.stringify(event))
    this.#idle = null
  }

  #timeOut() {
    this.#end(new Error(`the function timed out after ${this.timeout} ms`))
    this.#signal('SIGKILL')
  }

  /** Sends a signal to the process and those that it has started. */
  #signal(signal) {
    try {
      process.kill(-this.pid, signal)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }

  #end(error) {
    this.#ended ??= error
    for (const { reject } of [...this.#running.values(), ...this.#waiting]) reject(this.#ended)
    this.#running.clear()
    this.#waiting = []
  }
}

/** The variables that Lambda sets, plus the endpoint and credentials of this process. */
function environment() {
  const { PATH, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_DYNAMODB } = process.env
  const given = { PATH, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_DYNAMODB }
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    AWS_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: 'example',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    LAMBDA_TASK_ROOT: folder,
    TZ: ':UTC'
  }
}

function settleable() {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

/** An HTTP server that invokes the function like an HTTP API of API Gateway, with events of version 2.0. */
function gateway(lambda) {
  return http.createServer(async (request, response) => {
    try {
      const { statusCode, headers, cookies, body, isBase64Encoded } = await lambda.invoke(await eventOf(request))
      response.writeHead(statusCode, { ...headers, ...(cookies && { 'set-cookie': cookies }) })
      response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'))
    } catch (error) {
      console.error(error)
      response.writeHead(502).end()
    }
  })
}

async function eventOf(request) {
  const { cookie, ...headers } = request.headers
  return event(request.method, request.url, { headers, cookies: cookie?.split('; '), body: await text(request) })
}

function event(method, url, { headers = {}, cookies, body } = {}) {
  const { pathname, search, searchParams } = new URL(url, 'http://localhost')
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookies && { cookies }),
    headers,
    queryStringParameters: Object.fromEntries(searchParams),
    requestContext: {
      domainName: 'localhost',
      stage: '$default',
      http: {
        method,
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? ''
      }
    },
    ...(body && { body }),
    isBase64Encoded: false
  }
}

module.exports = { LocalLambda, event, gateway }
