'use strict'

/** Garbage that is not collected yet accounts for this much growth. */
const TOLERANCE = 1.05
/** The number of handles varies by a few. A leak would show as thousands. */
const FEW = 5
/** The share of reads that may have a backup read, because their connection may be dead. */
const BACKUP_RATE = 0.001

/** Returns what is wrong with the outcome of a soak test, one line for each problem. */
function problemsOf({ violations, responses, failures, reads, backupReads, before, after }) {
  const problems = violations.slice(0, 20)
  for (const name of ['rss', 'heap']) {
    if (after[name] > before[name] * TOLERANCE) problems.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  for (const name of ['handles', 'files']) {
    if (after[name] > before[name] + FEW) problems.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  if (backupReads > reads * BACKUP_RATE) problems.push(`${backupReads} of ${reads} reads had a backup`)
  if (after.inFlight > 0) problems.push(`${after.inFlight} operations never ended`)
  if (failures === 0 || failures > responses / 4) problems.push(`${failures} of ${responses} responses were errors`)
  return problems
}

module.exports = { problemsOf }
