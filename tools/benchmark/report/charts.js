'use strict'

const { contenders } = require('../contenders')
const { barChart } = require('./chart')

const OURS = 'dynamodb-session'

/** The file name and the SVG of each chart whose figures were measured. */
function chartsOf({ calls, apps, cold, cost }) {
  const cell = (operation) =>
    calls?.cells.find(
      (each) => each.server === 'http' && each.operation === operation && each.size === 2048 && each.inFlight === 64
    )
  const app = apps?.find(({ framework, page }) => framework === 'express' && page === 'read')
  const start = cold?.find(({ server, credentials }) => server === 'https' && credentials === 'environment')
  const charts = [
    [
      'get',
      'get, 2 KB, 64 in flight: operations per second',
      barsOf(cell('get'), ({ opsPerSecond }) => opsPerSecond[0])
    ],
    ['get-main-thread', 'get, 2 KB, 64 in flight: main-thread CPU in µs', barsOf(cell('get'), ({ main }) => main?.[0])],
    ['express', 'Express app reading a 2 KB session: requests per second', barsOf(app, requestsOf)],
    [
      'cold-start',
      'Cold start: ms from process start to the first session, over TLS',
      barsOf(start, (figures) => figures.sinceStart[0])
    ],
    [
      'cost',
      'Write capacity units per 1,000 page views',
      cost && cost.filter(isOriginal).map((each) => bar(each.name, each.writes))
    ]
  ]
  return charts
    .filter(([, , bars]) => bars?.length > 0)
    .map(([name, title, bars]) => [`${name}.svg`, barChart(title, bars)])
}

const requestsOf = ({ requestsPerSecond }) => requestsPerSecond[0]

const isOriginal = ({ name, title }) => !contenders[name].isCompatible && !title.includes(',')

function bar(name, value) {
  const label = name === 'bare' ? 'bare Node' : contenders[name].title
  return { label, value: Number(value.toPrecision(3)), isOurs: name === OURS }
}

/** Leaves out the compatible stores, which are this store with other options. */
function barsOf(measured, read) {
  return Object.entries(measured?.contenders ?? {})
    .filter(([name, figures]) => !contenders[name]?.isCompatible && Number.isFinite(read(figures)))
    .map(([name, figures]) => bar(name, read(figures)))
}

module.exports = { chartsOf }
