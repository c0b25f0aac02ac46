'use strict'

const { contenders } = require('../contenders')
const { Medians } = require('./medians')

const OURS = 'dynamodb-session'

/** The contenders that the page and its charts show. The tables show all of them. */
const SHOWN = [
  OURS,
  'node-redis',
  'ioredis',
  'memory',
  'lean',
  'connect-dynamodb',
  'pwrdrvr',
  'dynamodb-store',
  'koa-session-dynamodb-store'
]

const WIDTH = 720
const LABELS = 250
const VALUES = 80
const BAR = 22
const GAP = 8
const TOP = 44

// Browsers apply the color scheme of the page or of the system to the picture. The background makes it readable on any page.
const STYLE = `
    .page { fill: #ffffff }
    text { fill: #1f2328 }
    .ours { fill: #1f6feb }
    .other { fill: #9aa4b2 }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 }
      text { fill: #e6edf3 }
      .ours { fill: #4493f8 }
      .other { fill: #656d76 }
    }
  `

/** The file name, the title, and the SVG of each chart whose figures were measured. */
function chartsOf(results) {
  const of = new Medians(results)
  const charts = [
    ['express', 'Express pages that read a 2 KB session, per second', (name) => of.app(name, 'requestsPerSecond')],
    [
      'one-core',
      'The same pages with one core for the app, per second',
      (name) => of.oneCore(name, 'requestsPerSecond')
    ],
    [
      'get',
      'Gets of a 2 KB session, 64 at a time, per second',
      (name) => of.call(name, 'opsPerSecond', { operation: 'get' })
    ]
  ]
  return charts
    .map(([name, title, read]) => [`${name}.svg`, title, barsOf(read)])
    .filter(([, , bars]) => bars.length > 0)
    .map(([file, title, bars]) => [file, title, barChart(title, bars)])
}

/** The bars in descending order. */
function barsOf(read) {
  return SHOWN.map((name) => ({ label: contenders[name].title, value: read(name), isOurs: name === OURS }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => b.value - a.value)
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
    const weight = isOurs ? ' font-weight="bold"' : ''
    return [
      `  <text x="${LABELS - 10}" y="${middle}" text-anchor="end"${weight}>${escaped(label)}</text>`,
      `  <rect class="${isOurs ? 'ours' : 'other'}" x="${LABELS}" y="${y}" width="${widthOf(value)}" height="${BAR}"/>`,
      `  <text x="${LABELS + widthOf(value) + 8}" y="${middle}"${weight}>${value.toLocaleString('en-US')}</text>`
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="14">
  <title>${escaped(title)}</title>
  <style>${STYLE}</style>
  <rect class="page" width="${WIDTH}" height="${height}" rx="6"/>
  <text x="10" y="26" font-size="16" font-weight="bold">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
}

module.exports = { chartsOf, OURS, SHOWN }
