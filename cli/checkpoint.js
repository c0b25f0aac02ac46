'use strict'

const { existsSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { isDeepStrictEqual } = require('node:util')
const { quoted, withoutUserInfo } = require('../lib/command-line.js')
const { CommandError, exitCodes, usageError } = require('./error.js')
const { ScanProgress, summaryText } = require('./progress.js')
const { listenForInterrupt } = require('./terminal.js')

const SAVE_INTERVAL = 1000

/** The progress of a run: the key after which its scan resumes, and its counts. */
class Checkpoint {
  /** The key of the last item that is done, or undefined at the start and at the end of the table. */
  key
  counts
  #file
  #run
  /** The last consistent pair of key and counts. */
  #snapshot
  #lastSaved = performance.now()

  /** `run` identifies the command, its table, and its options. The file of a different run is rejected. */
  constructor(file, run, counts) {
    this.#file = file
    this.#run = run
    this.counts = { ...counts }
    if (file !== undefined && existsSync(file)) this.#load()
    this.#takeSnapshot()
  }

  /** Records that all items up to this key are done. */
  advance(key) {
    this.key = key
    this.#takeSnapshot()
    if (this.#file !== undefined && performance.now() - this.#lastSaved >= SAVE_INTERVAL) this.save()
  }

  /** Writes the file and returns its name. Only its owner can read it, because it contains the key of an item. */
  save() {
    const { command, table } = this.#run
    const file = this.#file ?? `dynamodb-session-${command}-${table.replace(/[^\w.-]/g, '-')}.json`
    const text = JSON.stringify({ run: this.#run, ...this.#snapshot }, null, 2)
    try {
      writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      throw new CommandError(`cannot write the checkpoint file ${file}: ${error.message}`)
    }
    this.#lastSaved = performance.now()
    return file
  }

  remove() {
    if (this.#file !== undefined) rmSync(this.#file, { force: true })
  }

  #takeSnapshot() {
    this.#snapshot = { key: this.key, counts: { ...this.counts } }
  }

  #load() {
    let saved
    try {
      saved = JSON.parse(readFileSync(this.#file, 'utf8'))
    } catch (error) {
      throw usageError(`cannot read the checkpoint file ${this.#file}: ${error.message}`)
    }
    if (!isDeepStrictEqual(saved.run, JSON.parse(JSON.stringify(this.#run)))) {
      throw usageError(
        `the checkpoint file ${this.#file} belongs to a different run, with different options or a different table: use the options of that run, or a different file`
      )
    }
    this.key = saved.key
    Object.assign(this.counts, saved.counts)
  }
}

/**
 * Runs `work(checkpoint, signal)`, which can be interrupted and resumed, and shows its progress. When it completes, the
 * checkpoint file is deleted. Otherwise the file is kept and the command that resumes is printed. `total` is the estimated
 * number of items, `tables` are those that consume capacity, and `detailOf(counts)` is a short text.
 *
 * Resolves to the counts, the exit code, and the summary of this run as an object and as a text.
 */
async function runResumable({ values, run, counts, output, total, tables, detailOf }, work) {
  const isFileGiven = values.state !== undefined
  const checkpoint = new Checkpoint(values.state, run, counts)
  // Fails before any work is done if the file cannot be written.
  if (isFileGiven) checkpoint.save()
  const isResumed = checkpoint.counts.scanned > 0
  const progress = new ScanProgress(() => ({
    items: checkpoint.counts.scanned,
    total,
    units: consumedBy(tables),
    detail: detailOf(checkpoint.counts)
  }))
  const { signal, release } = listenForInterrupt(() => checkpoint.save())
  const hideProgress = output.showProgress((columns) => progress.line(columns))
  const suggestResume = () => {
    const file = checkpoint.save()
    output.note(`to resume, run: ${resumeCommand(isFileGiven ? [] : ['--state', file])}`)
  }
  try {
    await work(checkpoint, signal)
  } catch (error) {
    if (checkpoint.key !== undefined) suggestResume()
    else if (isFileGiven) checkpoint.save()
    throw error
  } finally {
    hideProgress()
    release()
  }
  const summary = progress.summary()
  const outcome = { counts: checkpoint.counts, summary, summaryLine: summaryText(summary, isResumed) }
  if (signal.aborted) {
    output.note('interrupted')
    suggestResume()
    return { ...outcome, exitCode: exitCodes.interrupted }
  }
  checkpoint.remove()
  return { ...outcome, exitCode: exitCodes.success }
}

function consumedBy(tables) {
  const sum = (kind) => tables.reduce((units, { consumed }) => units + consumed[kind], 0)
  return { read: sum('read'), write: sum('write') }
}

/** This command line again, with more arguments. */
function resumeCommand(moreArguments) {
  const args = [...process.argv.slice(2), ...moreArguments]
  return ['npx dynamodb-session', ...args.map((arg) => quoted(withoutUserInfo(arg)))].join(' ')
}

module.exports = { runResumable }
