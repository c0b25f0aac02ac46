'use strict'

const { short, table } = require('./format')
const { Medians } = require('./medians')

const OURS = 'dynamodb-session'
const CONNECT = 'connect-dynamodb'
const REDIS = ['node-redis', 'ioredis']

const format = (number) => (Number.isFinite(number) ? short(number) : null)

/** The targets: what is measured, the goal, and the measured number, which must be at least or at most the goal. */
function targetsOf(results) {
  const of = new Medians(results)
  const calls = (figure, cell, one, other) => of.call(one, figure, cell) / of.call(other, figure, cell)
  const [get, set, touch] = ['get', 'set', 'touch'].map((operation) => ({ operation }))
  const alone = { operation: 'get', inFlight: 1 }
  const app = (figure, other) => of.app(OURS, figure) / of.app(other, figure)
  const targets = [
    [
      1,
      'get 2 KB, 64 in flight: operations/s vs. connect-dynamodb',
      '>=',
      18,
      calls('opsPerSecond', get, OURS, CONNECT)
    ],
    [
      1,
      'set 2 KB, 64 in flight: operations/s vs. connect-dynamodb',
      '>=',
      18,
      calls('opsPerSecond', set, OURS, CONNECT)
    ],
    [
      1,
      'get 2 KB, 64 in flight: operations/s vs. lean JavaScript',
      '>=',
      1.8,
      calls('opsPerSecond', get, OURS, 'lean')
    ],
    [
      1,
      'set 2 KB, 64 in flight: operations/s vs. lean JavaScript',
      '>=',
      1.8,
      calls('opsPerSecond', set, OURS, 'lean')
    ],
    [2, 'get 2 KB: main-thread CPU vs. connect-dynamodb', '<=', 1 / 25, calls('main', get, OURS, CONNECT)],
    [2, 'get 2 KB: main-thread CPU vs. the boundary only', '<=', 1.2, calls('main', get, OURS, 'crossing')],
    [2, 'touch: main-thread CPU, µs', '<=', 6, of.call(OURS, 'main', touch)],
    [2, 'touch: main-thread CPU vs. the boundary only', '<=', 1.5, calls('main', touch, OURS, 'crossing')],
    [3, 'get 2 KB: process CPU vs. connect-dynamodb', '<=', 1 / 12, calls('cpu', get, OURS, CONNECT)],
    [3, 'get 2 KB: process CPU vs. lean JavaScript', '<=', 0.75, calls('cpu', get, OURS, 'lean')],
    [
      3,
      'set 20 KB: process CPU vs. connect-dynamodb',
      '<=',
      1 / 6,
      calls('cpu', { operation: 'set', size: 20_480 }, OURS, CONNECT)
    ],
    [4, 'get 2 KB, one in flight: p50 vs. connect-dynamodb', '<=', 1 / 4, calls('p50', alone, OURS, CONNECT)],
    [
      4,
      'get 2 KB, one in flight: p99 vs. the p50 of connect-dynamodb',
      '<=',
      1,
      of.call(OURS, 'p99', alone) / of.call(CONNECT, 'p50', alone)
    ],
    [
      5,
      'Express app reading the session: main-thread CPU of a request vs. MemoryStore',
      '<=',
      1.15,
      app('main', 'memory')
    ],
    [5, 'Express app reading the session: requests/s vs. MemoryStore', '>=', 0.85, app('requestsPerSecond', 'memory')],
    [
      5,
      'Express app reading the session: requests/s vs. connect-dynamodb',
      '>=',
      3.5,
      app('requestsPerSecond', CONNECT)
    ],
    [
      5,
      'Express app reading the session: event-loop delay p99 over MemoryStore, ms',
      '<=',
      1,
      of.app(OURS, 'delay') - of.app('memory', 'delay')
    ],
    [
      6,
      'cold start over TLS: added time vs. connect-dynamodb',
      '<=',
      1 / 8,
      of.coldStart(OURS, 'sinceStart') / of.coldStart(CONNECT, 'sinceStart')
    ],
    [6, 'require and construction, ms', '<=', 3, of.coldStart(OURS, 'loading')],
    [7, 'memory of an idle process over bare Node.js, MB', '<=', 15, of.idleProcess(OURS)],
    [7, `memory growth over ${results.memory?.operations ?? 'many'} operations, MB`, '<=', 2, results.memory?.growth],
    [
      8,
      'browsing: write capacity units vs. connect-dynamodb',
      '<=',
      1 / 5,
      of.cost(OURS, 'writes') / of.cost('connect-dynamodb 3', 'writes')
    ],
    [
      8,
      'browsing: read capacity units vs. connect-dynamodb',
      '<=',
      1,
      of.cost(OURS, 'reads') / of.cost('connect-dynamodb 3', 'reads')
    ],
    [
      8,
      'browsing, consistentRead false: read capacity units vs. connect-dynamodb',
      '<=',
      0.5,
      of.cost(`${OURS}, consistentRead: false`, 'reads') / of.cost('connect-dynamodb 3', 'reads')
    ],
    [
      8,
      "browsing, consistentRead 'on-miss': read capacity units vs. connect-dynamodb",
      '<=',
      0.6,
      of.cost(`${OURS}, consistentRead: on-miss`, 'reads') / of.cost('connect-dynamodb 3', 'reads')
    ],
    [9, 'stripped addon, MB', '<=', 6, results.size?.plain],
    [9, 'gzipped addon, MB', '<=', 2.7, results.size?.gzipped],
    ...[get, set].flatMap((cell) => [
      [
        10,
        `${cell.operation} 2 KB, encrypted: main-thread CPU vs. plain`,
        '<=',
        1.05,
        calls('main', cell, 'encrypted', OURS)
      ],
      [
        10,
        `${cell.operation} 2 KB, encrypted: process CPU vs. plain`,
        '<=',
        1.3,
        calls('cpu', cell, 'encrypted', OURS)
      ],
      [
        10,
        `${cell.operation} 2 KB, encrypted and compressed: process CPU vs. plain`,
        '<=',
        2,
        calls('cpu', cell, 'encrypted-compressed', OURS)
      ]
    ]),
    ...['read', 'write'].flatMap((page) => {
      const pages = `Express pages that ${page} the session`
      const redis = (figure) => REDIS.map((name) => of.app(name, figure, page))
      const fastest = Math.max(...redis('requestsPerSecond'))
      const [main, cpu] = ['main', 'cpu'].map((figure) => of.app(OURS, figure, page) / Math.min(...redis(figure)))
      return [
        [
          11,
          `${pages}: requests/s vs. the faster Redis client`,
          '>=',
          1.1,
          of.app(OURS, 'requestsPerSecond', page) / fastest
        ],
        [11, `${pages}: main-thread CPU vs. the better Redis client`, '<=', 0.9, main],
        [11, `${pages}: process CPU vs. the better Redis client`, '<=', 1, cpu]
      ]
    }),
    [12, 'get 2 KB, 64 in flight: main-thread CPU vs. ioredis', '<=', 0.9, calls('main', get, OURS, 'ioredis')],
    [13, 'one core, Express pages that read the session: runtime thread, µs', '<=', 45, of.oneCore(OURS, 'runtime')],
    [
      13,
      'one core, Express pages that read the session: requests/s vs. node-redis',
      '>=',
      1,
      of.oneCore(OURS, 'requestsPerSecond') / of.oneCore('node-redis', 'requestsPerSecond')
    ],
    [14, 'first get over TLS after `warm`, over the second one, ms', '<=', 1, of.firstGet('warm')]
  ]
  return targets.map(([figure, what, sign, limit, number]) => ({
    figure,
    what,
    goal: `${sign === '>=' ? '≥' : '≤'} ${format(limit)}`,
    measured: format(number),
    reached: Number.isFinite(number) ? (sign === '>=' ? number >= limit : number <= limit) : null
  }))
}

function targetsTable(targets) {
  const verdict = ({ reached }) => (reached === null ? 'not measured' : reached ? 'yes' : '**no**')
  const rows = targets.map((target) => [
    target.figure,
    target.what,
    target.goal,
    target.measured ?? '–',
    verdict(target)
  ])
  return table(['', 'target', 'goal', 'measured', 'reached'], rows, ['right', 'left', 'right', 'right', 'left'])
}

module.exports = { targetsOf, targetsTable }
