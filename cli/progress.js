'use strict'

/** Seconds after which an estimate of the time left is meaningful. */
const MEANINGFUL_AFTER = 5
const BAR_WIDTH = 30
const MIN_BAR_WIDTH = 10

/** The progress of a scan: how much is done, how fast, and how long the rest takes. */
class ScanProgress {
  #read
  #now
  #first
  #start
  /** The numbers when they last changed. Pages can be minutes apart with --read-rate. */
  #changed

  /**
   * `read` returns the current numbers: `items`, the estimated `total` or undefined, the `share` that is done if it is
   * known exactly, the capacity `units` consumed, and a `detail`. `now` returns milliseconds.
   */
  constructor(read, now = () => performance.now()) {
    this.#read = read
    this.#now = now
    this.#start = now()
    // A run that resumes starts with the items of the runs before it.
    this.#first = this.#measure()
    this.#changed = this.#first
  }

  /** One line that fits into this number of columns, with a bar if there is room. */
  line(columns = Infinity) {
    const numbers = this.#measure()
    const { items, total, share, units, detail, seconds } = numbers
    if (items !== this.#changed.items || share !== this.#changed.share) this.#changed = numbers
    const elapsed = this.#changed.seconds
    const rate = elapsed > 0 ? (items - this.#first.items) / elapsed : 0
    const pace = elapsed > 0 ? (share - (this.#first.share ?? 0)) / elapsed : 0
    const isMeaningful = pace > 0 && share < 1 && seconds >= MEANINGFUL_AFTER
    const secondsLeft = isMeaningful ? (1 - share) / pace - (seconds - elapsed) : undefined
    const parts = [
      `${formatCount(items)}${total === undefined ? '' : ` of about ${formatCount(total)}`} items`,
      `${formatRate(rate)}/s`,
      ...(secondsLeft === undefined ? [] : [`about ${formatDuration(Math.max(1, Math.round(secondsLeft)))} left`]),
      ...(detail === undefined ? [] : [detail]),
      ...Object.entries({ RCU: units.read, WCU: units.write }).flatMap(([unit, count]) =>
        count > 0 ? [`${formatCount(count)} ${unit}`] : []
      )
    ]
    // While a scan runs, something is left, even if DynamoDB's item count says otherwise.
    const percent = share === undefined ? '' : `${String(Math.min(99, Math.floor(share * 100))).padStart(3)}%  `
    while (parts.length > 1 && percent.length + parts.join(', ').length > columns) parts.pop()
    const text = `${percent}${parts.join(', ')}`
    const room = Math.min(BAR_WIDTH, columns - text.length - 3)
    const hasBar = share !== undefined && columns !== Infinity && room >= MIN_BAR_WIDTH
    return `${hasBar ? `${bar(share, room)} ` : ''}${text}`.slice(0, columns)
  }

  /** What this run has done so far. */
  summary() {
    const { items, units, seconds } = this.#measure()
    const own = items - this.#first.items
    return {
      items: own,
      seconds: round(seconds),
      itemsPerSecond: seconds > 0 ? round(own / seconds) : 0,
      readUnits: units.read,
      writeUnits: units.write
    }
  }

  #measure() {
    const { items, total, share, ...others } = this.#read()
    // DynamoDB's item count can be hours old. When there are more items, nobody knows how many are left.
    const isKnown = total > 0 && items <= total
    const seconds = (this.#now() - this.#start) / 1000
    return {
      items,
      total: isKnown ? total : undefined,
      share: share ?? (isKnown ? items / total : undefined),
      seconds,
      ...others
    }
  }
}

/** For work without numbers: a function that returns the text and the time since now, in a line that fits. */
function elapsedLine(textOf, now = () => performance.now()) {
  const start = now()
  return (columns) => `${textOf()}, ${formatDuration(Math.round((now() - start) / 1000))}`.slice(0, columns)
}

/** The summary of a run as text. `isResumed` says that other runs did a part of the work. */
function summaryText({ seconds, itemsPerSecond, readUnits, writeUnits }, isResumed = false) {
  const units = Object.entries({ read: readUnits, write: writeUnits }).filter(([, count]) => count > 0)
  const cost = units.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(' and ')
  return [
    `${isResumed ? 'this run ' : ''}took ${formatDuration(seconds)}`,
    `${formatRate(itemsPerSecond)} items/s`,
    ...(cost === '' ? [] : [`${cost} capacity units`])
  ].join(', ')
}

/** Seconds as a text with at most two units, such as `2m 05s`. */
function formatDuration(seconds) {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))}s`
  const whole = Math.round(seconds)
  const units = [
    [86_400, 3600, 'd', 'h'],
    [3600, 60, 'h', 'm'],
    [60, 1, 'm', 's']
  ]
  const found = units.find(([size]) => whole >= size)
  if (found === undefined) return `${whole}s`
  const [size, smaller, name, smallerName] = found
  return `${Math.floor(whole / size)}${name} ${String(Math.floor((whole % size) / smaller)).padStart(2, '0')}${smallerName}`
}

function formatRate(itemsPerSecond) {
  const digits = itemsPerSecond < 9.95 ? 1 : 0
  return formatCount(Number(itemsPerSecond.toFixed(digits)))
}

function formatCount(count) {
  return count.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

function bar(share, width) {
  const filled = Math.round(Math.min(share, 1) * width)
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`
}

function round(number) {
  return Math.round(number * 1000) / 1000
}

module.exports = { ScanProgress, elapsedLine, formatCount, formatDuration, summaryText }
