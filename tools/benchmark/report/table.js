'use strict'

/** A Markdown table, formatted as Prettier does. The first column is left-aligned unless `sides` says otherwise. */
function table(head, rows, sides = head.map((_, index) => (index === 0 ? 'left' : 'right'))) {
  const texts = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column].length)))
  const line = (row) =>
    `| ${row.map((text, column) => (sides[column] === 'left' ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join(' | ')} |`
  const rule = widths.map((width, column) =>
    sides[column] === 'left' ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`
  )
  return [line(texts[0]), `| ${rule.join(' | ')} |`, ...texts.slice(1).map(line)].join('\n')
}

module.exports = { table }
