'use strict'

const WIDTH = 720
const LABELS = 210
const VALUES = 90
const BAR = 22
const GAP = 8
const TOP = 44
const OURS = '#1f6feb'
const OTHERS = '#9aa4b2'

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
      `  <rect x="${LABELS}" y="${y}" width="${widthOf(value)}" height="${BAR}" fill="${isOurs ? OURS : OTHERS}"/>`,
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

module.exports = { barChart }
