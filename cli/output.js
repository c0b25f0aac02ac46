'use strict'

const { exitCodes } = require('./error.js')
const { formatCount } = require('./progress.js')

const DEFAULT_COLUMNS = 80
/** Milliseconds between two updates of the progress on a terminal, and elsewhere, such as in the log of a CI job. */
const REDRAW_INTERVAL = 200
const LOG_INTERVAL = 30_000

/** Prints the result of a command to stdout, and messages and progress to stderr. */
class Output {
  #json
  #stdout
  #stderr
  #isLineVisible = false

  constructor({ json, stdout = process.stdout, stderr = process.stderr }) {
    this.#json = json
    this.#stdout = stdout
    this.#stderr = stderr
  }

  /** Prints the result: as JSON with --json, otherwise as lines of text. `paint` adds colors on a terminal that has them. */
  result(object, lines, paint = (text) => text) {
    this.#clearLine()
    if (this.#json) return this.json(object)
    const text = escapeControlCharacters(lines.join('\n'))
    return this.text(this.#stdout.hasColors?.() ? paint(text) : text)
  }

  /** The width of the result in columns. */
  get columns() {
    return columnsOf(this.#stdout)
  }

  /** Whether the result can contain characters other than ASCII. */
  get hasSymbols() {
    const { LC_ALL, LC_CTYPE, LANG, WT_SESSION } = process.env
    return process.platform === 'win32' ? WT_SESSION !== undefined : /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG)
  }

  text(text) {
    this.#stdout.write(`${text}\n`)
  }

  json(object) {
    if (this.#json) this.#stdout.write(`${JSON.stringify(object, null, 2)}\n`)
  }

  note(text) {
    this.#clearLine()
    this.#stderr.write(`${escapeControlCharacters(text)}\n`)
  }

  /**
   * Shows progress until the returned function is called: on a terminal, a line that is redrawn; otherwise, unless the
   * output is JSON, a line from time to time. `lineOf(columns)` returns the line, which must fit.
   */
  showProgress(lineOf) {
    const isLive = this.#stderr.isTTY && process.env.TERM !== 'dumb'
    if (!isLive && this.#json) return () => {}
    const show = isLive
      ? () => this.#drawLine(lineOf(columnsOf(this.#stderr) - 1))
      : () => this.note(lineOf(Infinity).trimStart())
    const timer = setInterval(show, isLive ? REDRAW_INTERVAL : LOG_INTERVAL).unref()
    const clear = () => this.#clearLine()
    process.once('exit', clear)
    // Without a listener, Ctrl-C ends the process before the line is cleared.
    const interrupt = () => process.exit(exitCodes.interrupted)
    if (isLive && process.listenerCount('SIGINT') === 0) process.once('SIGINT', interrupt)
    return () => {
      clearInterval(timer)
      process.off('exit', clear)
      process.off('SIGINT', interrupt)
      clear()
    }
  }

  #drawLine(text) {
    this.#isLineVisible = true
    this.#stderr.write(`\r\x1b[K${escapeControlCharacters(text)}`)
  }

  #clearLine() {
    if (this.#isLineVisible) this.#stderr.write('\r\x1b[K')
    this.#isLineVisible = false
  }
}

/** A terminal of unknown size has 0 columns. */
function columnsOf({ columns }) {
  return columns || Number(process.env.COLUMNS) || DEFAULT_COLUMNS
}

/** The lines for the counts of a run that are not zero. `labels` are their texts, and `reason` introduces each reason. */
function countLines(counts, labels, reason) {
  const line = (count, text) => `${formatCount(count).padStart(8)} ${text}`
  return [
    `${formatCount(counts.scanned)} items scanned`,
    ...Object.entries(labels)
      .filter(([name]) => counts[name] > 0)
      .map(([name, label]) => line(counts[name], label)),
    ...Object.entries(counts.reasons).map(([text, count]) => line(count, `${reason}: ${text}`))
  ]
}

/** A text of the progress, with the number of problems if there are any. */
function withFailures(text, failures, label = 'failed') {
  return failures > 0 ? `${text}, ${formatCount(failures)} ${label}` : text
}

/** Sessions, IDs, and names can contain characters that control the terminal. */
function escapeControlCharacters(text) {
  return text.replace(/[^\P{Cc}\n]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Breaks a text into lines of at most this width, between words. */
function wrap(text, width) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`
    if (line.length > width && lines.at(-1) !== '') lines.push(word)
    else lines[lines.length - 1] = line
  }
  return lines
}

module.exports = { Output, countLines, withFailures, wrap }
