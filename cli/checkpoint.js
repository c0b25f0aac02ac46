'use strict'

const { existsSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { isDeepStrictEqual } = require('node:util')
const { quoted, withoutUserInfo } = require('../lib/command.js')
const { CommandError, exitCodes, usageError } = require('./error.js')

const WRITE_AFTER = 1000

/** How far a run has come: where its scan goes on, and what it has counted. */
class Place {
  key
  #file
  #run
  #marked
  #written = performance.now()

  /** `run` tells what is being done to which table; another run's file is refused. */
  constructor(file, run, counts) {
    this.#file = file
    this.#run = run
    this.counts = { ...counts }
    if (file !== undefined && existsSync(file)) this.#read()
    this.#marked = { key: this.key, counts: { ...this.counts } }
  }

  /** The items up to this one are done. */
  mark(key) {
    this.key = key
    this.#marked = { key, counts: { ...this.counts } }
    if (this.#file === undefined || performance.now() - this.#written < WRITE_AFTER) return
    this.save()
  }

  /** Writes the file, which the key of an item makes private; gives its name. */
  save() {
    const { command, table } = this.#run
    const file = this.#file ?? `dynamodb-session-${command}-${table.replace(/[^\w.-]/g, '-')}.json`
    const text = JSON.stringify({ run: this.#run, ...this.#marked }, null, 2)
    try {
      writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      throw new CommandError(`the file ${file} cannot be written: ${error.message}`)
    }
    this.#written = performance.now()
    return file
  }

  remove() {
    if (this.#file !== undefined) rmSync(this.#file, { force: true })
  }

  #read() {
    let state
    try {
      state = JSON.parse(readFileSync(this.#file, 'utf8'))
    } catch (error) {
      throw usageError(`the file ${this.#file} cannot be read as a state: ${error.message}`)
    }
    if (!isDeepStrictEqual(state.run, JSON.parse(JSON.stringify(this.#run)))) {
      throw usageError(`the file ${this.#file} is of another run: other options, or another table`)
    }
    this.key = state.key
    Object.assign(this.counts, state.counts)
  }
}

/**
 * Does `work(place, signal)` so that it can be interrupted. What has come to an end by itself leaves no file;
 * what has not says how to go on. Resolves to the exit code.
 */
async function resumable({ values, run, counts, output }, work) {
  const place = new Place(values.state, run, counts)
  // A file that cannot be written is told before anything is done.
  if (values.state !== undefined) place.save()
  const { signal, release } = interruption(() => place.save())
  const tellHowToGoOn = () => output.note(`to go on: ${resumption(values.state ?? place.save(), values.state)}`)
  try {
    await work(place, signal)
  } catch (error) {
    if (values.state !== undefined) place.save()
    if (place.key !== undefined) tellHowToGoOn()
    throw error
  } finally {
    release()
  }
  if (!signal.aborted) {
    place.remove()
    return { place, exitCode: exitCodes.done }
  }
  if (values.state !== undefined) place.save()
  output.note('interrupted')
  tellHowToGoOn()
  return { place, exitCode: exitCodes.interrupted }
}

/** A signal that Ctrl-C aborts; a second Ctrl-C ends the process, after `atOnce`. */
function interruption(atOnce = () => {}) {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) {
      atOnce()
      process.exit(exitCodes.interrupted)
    }
    controller.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, interrupt)
  const release = () => {
    for (const name of ['SIGINT', 'SIGTERM']) process.off(name, interrupt)
  }
  return { signal: controller.signal, release }
}

function resumption(file, given) {
  const args = [...process.argv.slice(2), ...(given === undefined ? ['--state', file] : [])]
  return ['npx dynamodb-session', ...args.map((arg) => quoted(withoutUserInfo(arg)))].join(' ')
}

/** The question before what costs or cannot be undone. */
async function confirmed(question, { values, output }) {
  if (values.yes || (await output.confirm(question))) return
  throw new CommandError('nothing was done', { code: 'NotConfirmed', todo: 'answer y, or give --yes' })
}

module.exports = { confirmed, interruption, resumable }
