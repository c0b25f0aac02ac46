'use strict'

const { contenders } = require('../contenders')

const OURS = 'dynamodb-session'
const OUR_COLOR = '#1f6feb'
const OTHER_COLOR = '#9aa4b2'

const WIDTH = 720
const LABELS = 210
const VALUES = 90
const BAR = 22
const GAP = 8
const TOP = 44

/** The file name and the SVG of each chart whose figures were measured. */
function chartsOf({ calls, apps }) {
  const cell = (operation) =>
    calls?.cells.find(
      (each) => each.server === 'http' && each.operation === operation && each.size === 2048 && each.inFlight === 64
    )
  const app = apps?.find(({ framework, page }) => framework === 'express' && page === 'read')
  const charts = [
    [
      'get',
      'get, 2 KB, 64 in flight: operations per second',
      barsOf(cell('get'), ({ opsPerSecond }) => opsPerSecond[0])
    ],
    ['express', 'Express app reading a 2 KB session: requests per second', barsOf(app, requestsOf)]
  ]
  return charts
    .filter(([, , bars]) => bars?.length > 0)
    .map(([name, title, bars]) => [`${name}.svg`, barChart(title, bars)])
}

const requestsOf = ({ requestsPerSecond }) => requestsPerSecond[0]

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

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** An SVG bar chart with one bar for each `{ label, value, isOurs }`, labeled with its value. */
function barChart(title, bars) {
  const height = TOP + bars.length * (BAR + GAP) + GAP
  const longest = Math.max(...bars.map(({ value }) => value))
  const widthOf = (value) => Math.max(1, Math.round((value / longest) * (WIDTH - LABELS - VALUES)))
  const rows = bars.map(({ label, value, isOurs }, index) => {
    const y = TOP + index * (BAR + GAP)
    const middle = y + BAR / 2 + 5
    return [
      `  <text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `  <rect x="${LABELS}" y="${y}" width="${widthOf(value)}" height="${BAR}" fill="${isOurs ? OUR_COLOR : OTHER_COLOR}"/>`,
      `  <text x="${LABELS + widthOf(value) + 8}" y="${middle}">${value.toLocaleString('en-US')}</text>`
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="14">
  <rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
  <text x="10" y="26" font-size="16" font-weight="bold">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
}

module.exports = { chartsOf }
