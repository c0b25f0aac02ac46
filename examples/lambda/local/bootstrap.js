'use strict'

// Replaces the managed runtime in the function's process: loads the handler, then requests invocations one by one.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const { AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_FUNCTION_NAME, LAMBDA_TASK_ROOT, _HANDLER } = process.env
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

async function main() {
  const handler = await load().catch(async (error) => {
    await call('POST', 'init/error', describe(error))
    process.exit(1)
  })
  for (;;) {
    const { headers, text } = await call('GET', 'invocation/next')
    const id = headers['lambda-runtime-aws-request-id']
    try {
      await call('POST', `invocation/${id}/response`, await handler(JSON.parse(text), contextOf(headers)))
    } catch (error) {
      await call('POST', `invocation/${id}/error`, describe(error))
    }
  }
}

async function load() {
  const [file, name] = _HANDLER.split('.')
  const base = path.join(LAMBDA_TASK_ROOT, file)
  const extension = ['.js', '.mjs'].find((extension) => fs.existsSync(base + extension))
  const loaded = await import(pathToFileURL(base + extension))
  return (loaded.default ?? loaded)[name]
}

function contextOf(headers) {
  return {
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    getRemainingTimeInMillis: () => Number(headers['lambda-runtime-deadline-ms']) - Date.now()
  }
}

function call(method, resource, body) {
  return new Promise((resolve, reject) => {
    const url = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/${resource}`
    const request = http.request(url, { method, agent }, async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ headers: response.headers, text })
    })
    request.on('error', reject).end(body && JSON.stringify(body))
  })
}

function describe({ name, message, stack }) {
  return { errorType: name, errorMessage: message, stackTrace: stack?.split('\n') }
}

main()
