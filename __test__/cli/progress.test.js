'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { Output } = require('../../cli/output.js')
const { ScanProgress, elapsedLine, formatDuration, summaryText } = require('../../cli/progress.js')

/** A scan of which the test sets the numbers and the time. */
function newScan({ items = 0, ...numbers }) {
  const state = { items, units: { read: 0, write: 0 }, ...numbers }
  let seconds = 0
  const progress = new ScanProgress(
    () => ({ ...state }),
    () => seconds * 1000
  )
  /** The line after this many more seconds with this many more items. */
  const after = (moreSeconds, moreItems, changes = {}) => {
    seconds += moreSeconds
    state.items += moreItems
    Object.assign(state, changes)
    return progress.line()
  }
  return { progress, after }
}

describe('the progress of a scan', () => {
  test('has the count, the estimated total, the rate, the time left, and the capacity units', () => {
    const { after } = newScan({ total: 12_000, detail: '30 deleted' })
    assert.equal(after(0, 0), '  0%  0 of about 12,000 items, 0/s, 30 deleted')
    const line = after(10, 3000, { units: { read: 1620.5, write: 30 } })
    assert.equal(line, ' 25%  3,000 of about 12,000 items, 300/s, about 30s left, 30 deleted, 1,620.5 RCU, 30 WCU')
  })

  test('is the one in docs/cli.md', () => {
    const line = newScan({ total: 120_000 }).after(301, 28_900, { detail: '2,312 deleted' })
    const page = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'cli.md'), 'utf8')
    assert.ok(page.includes(`\n${line}\n`), line)
  })

  test('has a time left only when it is meaningful', () => {
    const { after } = newScan({ total: 1000 })
    assert.doesNotMatch(after(4.9, 100), /left/)
    assert.match(after(0.1, 0), /, about 44s left$/)
    assert.doesNotMatch(after(1, 900), /left/)
    assert.doesNotMatch(newScan({ total: 1000 }).after(60, 0), /left/)
  })

  test('has neither a total nor a time left if the number of items is unknown, or too low', () => {
    for (const total of [undefined, 0]) assert.equal(newScan({ total }).after(10, 42), '42 items, 4.2/s')
    const { after } = newScan({ total: 100 })
    assert.match(after(10, 100), /^ 99% {2}100 of about 100 items, 10\/s$/)
    assert.equal(after(10, 100), '200 items, 10/s')
  })

  test('uses the share that is done, if it is known exactly', () => {
    const { after } = newScan({ total: 1000, share: 0 })
    assert.match(after(10, 300, { share: 0.2 }), /^ 20% {2}300 of about 1,000 items, 30\/s, about 40s left$/)
    assert.match(newScan({ share: 0 }).after(10, 300, { share: 0.5 }), /^ 50% {2}300 items, 30\/s, about 10s left$/)
  })

  test('has the average rate and the time left, also if the numbers change in steps', () => {
    const { after } = newScan({ total: 10_000 })
    assert.doesNotMatch(after(299, 0), /left/)
    assert.match(after(1, 1000), /, 3\.3\/s, about 45m 00s left$/)
    for (const minutesLeft of [40, 35, 30]) {
      assert.match(after(299, 0), new RegExp(`, 3\\.3/s, about ${minutesLeft}m 01s left$`))
      assert.match(after(1, 1000), new RegExp(`, 3\\.3/s, about ${minutesLeft}m 00s left$`))
    }
    assert.match(after(10_000, 0), /, 3\.3\/s, about 1s left$/)
  })

  test('of a run that resumes measures only this run', () => {
    const { progress, after } = newScan({ items: 5000, total: 6000 })
    assert.equal(after(10, 100), ' 85%  5,100 of about 6,000 items, 10/s, about 1m 30s left')
    const summary = progress.summary()
    assert.deepEqual(summary, { items: 100, seconds: 10, itemsPerSecond: 10, readUnits: 0, writeUnits: 0 })
    assert.equal(summaryText(summary, true), 'this run took 10s, 10 items/s')
    const units = { readUnits: 1200.5, writeUnits: 3 }
    assert.equal(summaryText({ ...summary, ...units }), 'took 10s, 10 items/s, 1,200.5 read and 3 write capacity units')
  })

  test('fits into any width, and has a bar if there is room', () => {
    const { progress, after } = newScan({ total: 12_345_678, detail: '1,234,567 rewritten, 3 failed' })
    after(100, 3_086_420, { units: { read: 1_234_567, write: 1_234_567 } })
    for (let columns = 1; columns <= 200; columns++) assert.ok(progress.line(columns).length <= columns, `${columns}`)
    assert.match(progress.line(200), /^\[#{8}-{22}\] {2}25% {2}3,086,420 of .* RCU, 1,234,567 WCU$/)
    assert.match(progress.line(80), /^ 25% {2}3,086,420 of about 12,345,678 items, 30,864\/s, about 5m 00s left$/)
    assert.equal(progress.line(12), ' 25%  3,086,')
  })

  test('of a wait is the time', () => {
    let now = 5000
    const line = elapsedLine(
      () => 'waiting',
      () => now
    )
    now += 65_000
    assert.equal(line(Infinity), 'waiting, 1m 05s')
    assert.equal(line(9), 'waiting, ')
  })
})

test('a duration has at most two units', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [0.34, '0.3s'],
    [3, '3s'],
    [9.96, '10s'],
    [59.4, '59s'],
    [59.6, '1m 00s'],
    [3599.6, '1h 00m'],
    [8130, '2h 15m'],
    [100_000, '1d 03h']
  ]) {
    assert.equal(formatDuration(seconds), text)
  }
})

describe('the output of the progress', () => {
  /** What an output writes to stderr while time passes, and after the progress ends. */
  function write(t, { isTTY = false, json = false, columns, term = 'xterm' }) {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const real = process.env.TERM
    process.env.TERM = term
    t.after(() => (process.env.TERM = real))
    const written = []
    const stderr = { isTTY, columns, write: (text) => written.push(text) }
    const output = new Output({ json, stdout: stderr, stderr })
    let calls = 0
    const hide = output.showProgress((width) => `${++calls} of 9, ${width}`)
    return { written, output, hide, tick: (milliseconds) => t.mock.timers.tick(milliseconds) }
  }
  const clear = '\r\x1b[K'

  test('on a terminal is one line, which is redrawn five times per second and cleared at the end', (t) => {
    const listeners = process.listenerCount('exit')
    const { written, output, hide, tick } = write(t, { isTTY: true, columns: 100 })
    tick(1000)
    assert.deepEqual(
      written,
      [1, 2, 3, 4, 5].map((call) => `${clear}${call} of 9, 99`)
    )
    written.length = 0
    output.note('a message')
    tick(200)
    assert.deepEqual(written, [clear, 'a message\n', `${clear}6 of 9, 99`])
    written.length = 0
    hide()
    tick(1000)
    assert.deepEqual(written, [clear])
    assert.equal(process.listenerCount('exit'), listeners)
  })

  test('on a terminal is cleared when the process exits', (t) => {
    const others = process.listeners('exit')
    const { written, hide, tick } = write(t, { isTTY: true })
    t.after(hide)
    tick(200)
    const [listener] = process.listeners('exit').filter((each) => !others.includes(each))
    listener()
    assert.equal(written.at(-1), clear)
  })

  test('on a terminal goes to stderr also with --json', (t) => {
    const { written, hide, tick } = write(t, { isTTY: true, json: true, columns: 0 })
    t.after(hide)
    tick(200)
    assert.deepEqual(written, [`${clear}1 of 9, ${(Number(process.env.COLUMNS) || 80) - 1}`])
  })

  for (const [name, settings] of [
    ['without a terminal', {}],
    ['on a terminal without control sequences', { isTTY: true, term: 'dumb' }]
  ]) {
    test(`${name} is a line every 30 seconds`, (t) => {
      const { written, hide, tick } = write(t, settings)
      tick(29_999)
      assert.deepEqual(written, [])
      tick(60_001)
      assert.deepEqual(written, ['1 of 9, Infinity\n', '2 of 9, Infinity\n', '3 of 9, Infinity\n'])
      hide()
      tick(60_000)
      assert.equal(written.length, 3)
    })
  }

  test('without a terminal is empty with --json', (t) => {
    const { written, tick } = write(t, { json: true })
    tick(90_000)
    assert.deepEqual(written, [])
  })
})
