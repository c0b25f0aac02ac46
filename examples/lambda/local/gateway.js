'use strict'

const http = require('node:http')
const { text } = require('node:stream/consumers')

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

module.exports = { event, gateway }
