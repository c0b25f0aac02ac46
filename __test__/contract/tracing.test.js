'use strict'

const assert = require('node:assert/strict')
const { tracingChannel } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { runCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('NODE_DEBUG=dynamodb-session', () => {
  const script = `
    const [one, two] = ['FIRST-ID', 'SECOND-ID']
    const store = new DynamoDBStore(options)
    const session = { cookie: { maxAge: 60000 }, user: 'ANN' }
    const ignore = () => {}
    const run = async () => {
      await store.set(one, session).catch(ignore)
      await store.get(one).catch(ignore)
      await store.get(two).catch(ignore)
      await store.destroy(one).catch(ignore)
    }
    run()
  `

  async function linesOf(options, NODE_DEBUG) {
    const { code, stderr } = await runScript(script, { options: dynamodb.options(options), env: { NODE_DEBUG } })
    assert.equal(code, 0)
    return stderr.split('\n').filter(Boolean)
  }

  test('prints operation, duration, attempts, and outcome, but no session IDs or data', async () => {
    const lines = await linesOf({}, 'dynamodb-session')
    assert.equal(lines.length, 4)
    for (const [i, operation] of ['PutItem', 'GetItem', 'GetItem', 'DeleteItem'].entries()) {
      assert.match(lines[i], /^DYNAMODB-SESSION \d+: /)
      assert.ok(lines[i].includes(operation), lines[i])
      assert.match(lines[i], /\d ?ms/)
      assert.match(lines[i], /attempt/)
      assert.doesNotMatch(lines[i], /FIRST-ID|SECOND-ID|ANN|local/)
    }
  })

  test('prints the same hash for the same session ID, and a different hash for a different ID', async () => {
    const lines = await linesOf({}, 'dynamodb-session')
    const hashes = lines.map((line) => line.replace(dynamodb.table, '').match(/\b[0-9a-f]{8,}\b/)[0])
    const [set, get, other, destroy] = hashes
    assert.deepEqual([get, destroy], [set, set])
    assert.notEqual(other, set)
  })

  test('prints the code of an error', async () => {
    const lines = await linesOf({ table: dynamodb.newTableName() }, 'dynamodb-session')
    assert.equal(lines.length, 4)
    for (const line of lines) assert.match(line, /ResourceNotFoundException/)
  })

  test('prints nothing if NODE_DEBUG has a different value', async () => {
    assert.deepEqual(await linesOf({}, 'dynamodb'), [])
  })
})

describe('the diagnostics channel dynamodb-session:operation', () => {
  const channel = tracingChannel('dynamodb-session:operation')

  /** Records the events of the channel while a function runs. */
  async function recordEvents(run) {
    const events = []
    const record = (event) => (context) => events.push({ event, context, snapshot: { ...context } })
    const subscribers = { start: record('start'), asyncEnd: record('asyncEnd'), error: record('error') }
    channel.subscribe(subscribers)
    try {
      await run()
    } finally {
      channel.unsubscribe(subscribers)
    }
    return events
  }

  const names = (events) => events.map(({ event, context }) => `${event} ${context.operation}`)

  test('publishes the start and end of each operation', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    const events = await recordEvents(async () => {
      await store.set(sid, newSession({ user: 'ANN' }))
      await store.get(sid)
      await store.touch(sid, newSession())
      await store.destroy(sid)
    })
    const operations = ['PutItem', 'GetItem', 'UpdateItem', 'DeleteItem']
    assert.deepEqual(
      names(events),
      operations.flatMap((operation) => [`start ${operation}`, `asyncEnd ${operation}`])
    )
    for (const { event, context, snapshot } of events) {
      assert.equal(snapshot.tableName, dynamodb.table)
      assert.doesNotMatch(JSON.stringify(context), new RegExp(`${sid}|ANN`))
      if (event !== 'asyncEnd') continue
      assert.ok(snapshot.durationMs >= 0 && snapshot.durationMs < 10_000)
      assert.deepEqual([snapshot.attempts, snapshot.statusCode], [1, 200])
      assert.match(snapshot.requestId, /^[\w-]{20,}$/)
      assert.equal(snapshot.consistentRead, snapshot.operation === 'GetItem' ? true : null)
      assert.ok(snapshot.capacityUnits > 0, 'the consumed capacity is published')
    }
    assert.equal(events[0].context, events[1].context, 'start and end share their context')
  })

  test('publishes the Region and the server, from the second operation on when it starts', async () => {
    const store = dynamodb.store()
    const events = await recordEvents(async () => {
      await store.get(newSid())
      await store.get(newSid())
    })
    const { hostname, port } = new URL(dynamodb.connection.endpoint)
    const server = { region: dynamodb.connection.region, serverAddress: hostname, serverPort: Number(port) }
    const serverOf = ({ region, serverAddress, serverPort }) => ({ region, serverAddress, serverPort })
    const unknown = { region: undefined, serverAddress: undefined, serverPort: undefined }
    assert.deepEqual(
      events.map(({ snapshot }) => serverOf(snapshot)),
      [unknown, server, server, server]
    )
  })

  test('publishes whether a read is consistent', async () => {
    const events = await recordEvents(async () => {
      for (const consistentRead of [true, false, 'on-miss']) await dynamodb.store({ consistentRead }).get(newSid())
    })
    const ends = events.filter(({ event }) => event === 'asyncEnd')
    assert.deepEqual(
      ends.map(({ snapshot }) => [snapshot.consistentRead, snapshot.attempts]),
      [
        [true, 1],
        [false, 1],
        [true, 2]
      ]
    )
  })

  test('publishes errors', async () => {
    const store = dynamodb.store({ table: dynamodb.newTableName() })
    const events = await recordEvents(() => assert.rejects(store.get(newSid())))
    assert.deepEqual(names(events), ['start GetItem', 'error GetItem', 'asyncEnd GetItem'])
    const { context } = events[2]
    assert.equal(context.error.code, 'ResourceNotFoundException')
    assert.deepEqual([context.attempts, context.statusCode], [1, 400])
    assert.equal(context.requestId, context.error.$metadata.requestId ?? null)
  })

  test('publishes nothing for a call that sends no request', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const session = newSession()
    await store.set(sid, session)
    const read = await store.get(sid)
    const events = await recordEvents(async () => {
      await store.touch(sid, Object.assign(read, { cookie: session.cookie }))
      await store.get('x'.repeat(3000))
    })
    assert.deepEqual(events, [])
  })

  test('a subscriber that throws does not affect the operation', async () => {
    const script = `
      const { tracingChannel } = require('node:diagnostics_channel')
      process.on('uncaughtException', (error) => console.log('uncaught', error.message))
      const broken = () => { throw new Error('thrown by the subscriber') }
      tracingChannel('dynamodb-session:operation').subscribe({ start: broken, asyncEnd: broken })
      new DynamoDBStore(options).get('x', (error, value) => console.log('result', error, value))
    `
    const { code, stdout } = await runScript(script, { options: dynamodb.options() })
    assert.equal(code, 0)
    const results = stdout.split('\n').filter((line) => line.startsWith('result'))
    assert.deepEqual(results, ['result null null'])
    assert.match(stdout, /uncaught thrown by the subscriber/)
  })

  test('consumed capacity is requested only while the channel has a subscriber', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    await store.get(newSid())
    await recordEvents(() => store.get(newSid()))
    await store.get(newSid())
    const requested = proxy.sent('GetItem').map((body) => body.ReturnConsumedCapacity)
    assert.deepEqual(requested, [undefined, 'TOTAL', undefined])
  })
})

describe('tracing of table-wide operations', () => {
  const script = `
    const { tracingChannel } = require('node:diagnostics_channel')
    const contexts = []
    if (process.env.SUBSCRIBE) tracingChannel('dynamodb-session:operation').subscribe({
      asyncEnd: (context) => contexts.push({ ...context })
    })
    const run = async () => {
      const store = new DynamoDBStore(options)
      await store.createTable()
      await store.describeTable()
      await store.set('id', { cookie: { maxAge: 60000 } })
      const results = [await store.all(), await store.ids(), await store.length(), await store.clear()]
      console.log(JSON.stringify({ results, contexts }))
    }
    run()
  `
  const operations = ['CreateTable', 'DescribeTable', 'PutItem', 'Scan', 'Scan', 'Scan', 'BatchWriteItem']

  async function runOperations(env) {
    const options = dynamodb.options({ table: dynamodb.newTableName(), createTable: { ttl: false } })
    const { code, stdout, stderr } = await runScript(script, { options, env })
    assert.equal(code, 0, stderr)
    const { results, contexts } = JSON.parse(stdout)
    assert.deepEqual(results.slice(1), [['id'], 1, null])
    return { contexts, lines: stderr.split('\n').filter(Boolean), table: options.table }
  }

  test('prints a complete line for each operation with NODE_DEBUG', async () => {
    const { lines, table } = await runOperations({ NODE_DEBUG: 'dynamodb-session' })
    assert.deepEqual(
      lines.map((line) => line.match(/: (\w+) on /)[1]),
      operations
    )
    for (const line of lines) {
      assert.ok(line.includes(`on ${table}: done in `), line)
      assert.doesNotMatch(line, /undefined|NaN/)
    }
  })

  test('publishes each operation to a subscriber', async () => {
    const { contexts, table } = await runOperations({ SUBSCRIBE: 'yes' })
    assert.deepEqual(
      contexts.map(({ operation }) => operation),
      operations
    )
    const { hostname } = new URL(dynamodb.connection.endpoint)
    for (const { tableName, durationMs, error, region, serverAddress } of contexts) {
      assert.equal(tableName, table)
      assert.deepEqual([region, serverAddress], [dynamodb.connection.region, hostname])
      assert.ok(durationMs >= 0)
      assert.equal(error, undefined)
    }
  })

  for (const command of ['init', 'stats']) {
    test(`works in the command ${command} with NODE_DEBUG`, needs('timeToLive'), async () => {
      const table = command === 'init' ? dynamodb.newTableName() : dynamodb.table
      const env = { NODE_DEBUG: 'dynamodb-session' }
      const { connection } = dynamodb
      const { code, stderr, json } = await runCli([command, '--table', table, '--json'], { connection, env })
      assert.equal(code, 0, stderr)
      assert.equal(json.table, table)
      assert.match(stderr, /DescribeTable on .*: done in/)
    })
  }
})
