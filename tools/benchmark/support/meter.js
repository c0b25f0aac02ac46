'use strict'

const { once } = require('node:events')
const http = require('node:http')

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

/** A proxy in front of DynamoDB that requests the consumed capacity of each request and sums it up. */
async function startMeter(endpoint) {
  const agent = new http.Agent({ keepAlive: true })
  const total = { reads: 0, writes: 0, requests: 0 }

  const server = http.createServer(async (request, response) => {
    const operation = request.headers['x-amz-target'].split('.').at(-1)
    const body = JSON.stringify({ ...JSON.parse(await textOf(request)), ReturnConsumedCapacity: 'TOTAL' })
    const headers = { ...request.headers, host: new URL(endpoint).host, 'content-length': Buffer.byteLength(body) }
    const onward = http.request(endpoint, { method: 'POST', agent, headers })
    onward.end(body)
    const [received] = await once(onward, 'response')
    const text = await textOf(received)
    const units = JSON.parse(text).ConsumedCapacity?.CapacityUnits ?? 0
    total.requests += 1
    total[WRITES.includes(operation) ? 'writes' : 'reads'] += units
    response.writeHead(received.statusCode, received.headers).end(text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    /** The capacity consumed since the last call. */
    take() {
      const taken = { ...total }
      for (const name in total) total[name] = 0
      return taken
    },
    close() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    }
  }
}

async function textOf(stream) {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk
  return text
}

module.exports = { startMeter }
