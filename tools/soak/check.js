'use strict'

/** A collector that takes its time makes up for this much where nothing grows. */
const TOLERANCE = 1.05
/** Handles come and go by themselves; what is left behind by requests is left by thousands of them. */
const FEW = 5
/** Part of the reads that may be sent twice because their connection may have died. */
const BACKUP_RATE = 0.001

/** What is wrong with the outcome of a soak, a line each. */
function complaintsAbout({ violations, answers, failures, reads, backupReads, before, after }) {
  const complaints = violations.slice(0, 20)
  for (const name of ['rss', 'heap']) {
    if (after[name] > before[name] * TOLERANCE) complaints.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  for (const name of ['handles', 'files']) {
    if (after[name] > before[name] + FEW) complaints.push(`${name} grew from ${before[name]} to ${after[name]}`)
  }
  if (backupReads > reads * BACKUP_RATE) complaints.push(`${backupReads} of ${reads} reads had a backup`)
  if (after.inFlight > 0) complaints.push(`${after.inFlight} operations never ended`)
  if (failures === 0 || failures > answers / 4) complaints.push(`${failures} of ${answers} answers were failures`)
  return complaints
}

module.exports = { complaintsAbout }
