'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { before, describe, test } = require('node:test')
const { PART, comparisonOf, page, runApps, spansByPage } = require('./comparison')

describe('an Express app with connect-dynamodb or with this store', () => {
  let runs

  before(async () => {
    runs = await runApps()
  })

  test('has a span for each DynamoDB operation of a page', () => {
    const [theirs, ours] = runs.map((run) => spansByPage(run).map(({ children }) => children.map(({ name }) => name)))
    const withoutDescribeTable = theirs.map((names) => names.filter((name) => name !== 'DynamoDB.DescribeTable'))
    assert.deepEqual(ours, withoutDescribeTable)
    assert.deepEqual(ours.flat(), [
      'DynamoDB.PutItem',
      'DynamoDB.GetItem',
      'DynamoDB.UpdateItem',
      'DynamoDB.GetItem',
      'DynamoDB.DeleteItem',
      'DynamoDB.GetItem'
    ])
  })

  test('has no session ID in a span', () => {
    for (const { sid, spans } of runs) {
      assert.ok(sid.length > 20)
      assert.ok(!JSON.stringify(spans).includes(sid))
    }
  })

  test('has the spans that the README shows', async () => {
    const [shown] = fs.readFileSync(page, 'utf8').match(PART)
    const message = 'to update the README, run: node __test__/opentelemetry/comparison.js'
    assert.equal(shown.trim(), await comparisonOf(runs), message)
  })
})
