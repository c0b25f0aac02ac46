'use strict'

const BAR_WIDTH = 30
const REDRAW_INTERVAL = 100

/** Prints the result of a command to stdout, and messages and progress to stderr. */
class Output {
  #json
  #stdout
  #stderr
  #lastDrawn = 0
  #isBarVisible = false

  constructor({ json, stdout = process.stdout, stderr = process.stderr }) {
    this.#json = json
    this.#stdout = stdout
    this.#stderr = stderr
  }

  /** Prints the result: as JSON with --json, otherwise as lines of text. */
  result(object, lines) {
    this.#clearBar()
    if (this.#json) this.json(object)
    else this.text(escapeControlCharacters(lines.join('\n')))
  }

  text(text) {
    this.#stdout.write(`${text}\n`)
  }

  json(object) {
    if (this.#json) this.#stdout.write(`${JSON.stringify(object, null, 2)}\n`)
  }

  note(text) {
    this.#clearBar()
    this.#stderr.write(`${escapeControlCharacters(text)}\n`)
  }

  /** Draws a progress bar if stderr is a terminal. */
  progress(done, total, text) {
    this.status(`${bar(done, total)} ${text}`)
  }

  /** Replaces the progress bar or the last status by this text if stderr is a terminal. */
  status(text) {
    if (!this.#stderr.isTTY || performance.now() - this.#lastDrawn < REDRAW_INTERVAL) return
    this.#lastDrawn = performance.now()
    this.#isBarVisible = true
    this.#stderr.write(`\r\x1b[K${text}`)
  }

  #clearBar() {
    if (this.#isBarVisible) this.#stderr.write('\r\x1b[K')
    this.#isBarVisible = false
  }
}

/** The lines for the counts of a run that are not zero. `labels` are their texts, and `reason` introduces each reason. */
function countLines(counts, labels, reason) {
  const line = (count, text) => `${String(count).padStart(8)} ${text}`
  return [
    `${counts.scanned} items scanned`,
    ...Object.entries(labels)
      .filter(([name]) => counts[name] > 0)
      .map(([name, label]) => line(counts[name], label)),
    ...Object.entries(counts.reasons).map(([text, count]) => line(count, `${reason}: ${text}`))
  ]
}

/** Sessions, IDs, and names can contain characters that control the terminal. */
function escapeControlCharacters(text) {
  return text.replace(/[^\P{Cc}\n]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function bar(done, total) {
  // DynamoDB's item count can be hours old, and therefore too low.
  const share = total > 0 ? Math.min(done / total, 1) : 0
  const filled = Math.round(share * BAR_WIDTH)
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)}%`
}

module.exports = { Output, countLines }
