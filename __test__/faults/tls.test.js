'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { createAuthority } = require('../support/tls')
const { shortTimeouts, callDuringFault } = require('../support/call-during-fault')

const dynamodb = useDynamoDB()
const day = 86_400_000
let trusted
let unknown

before(async () => {
  trusted = await createAuthority()
  unknown = await createAuthority()
  process.env.AWS_CA_BUNDLE = trusted.file
})
after(() => {
  trusted.remove()
  unknown.remove()
})

describe('an invalid server certificate', { concurrency: true, ...needs('proxy') }, () => {
  const certificates = {
    'of an unknown certificate authority': () => unknown.issue(),
    'that has expired': () =>
      trusted.issue({ notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }),
    'that is not valid yet': () =>
      trusted.issue({ notBeforeDate: new Date(Date.now() + day), notAfterDate: new Date(Date.now() + 2 * day) }),
    'for another host': () => trusted.issue({ host: 'elsewhere.test' })
  }
  for (const [name, issue] of Object.entries(certificates)) {
    test(`${name} is rejected before a request is sent, and a valid one is accepted afterwards`, async () => {
      const proxy = await dynamodb.proxy({ certificate: await issue() })
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
      const good = await trusted.issue()
      const repair = () => {
        assert.deepEqual(proxy.requests, [])
        proxy.useCertificate(good)
      }
      const { error } = await callDuringFault({ proxy, store, repair }, 'set', newSid(), newSession())
      assertOperationError(error, { code: 'NetworkError', operation: 'PutItem', tableName: dynamodb.table })
      assert.match(error.cause.message, /certificate/i)
    })
  }
})
