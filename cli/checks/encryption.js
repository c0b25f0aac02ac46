'use strict'

const { suggestedCommand } = require('../hints.js')

/** The largest number of key IDs in a list. */
const MAX_LISTED = 10

/**
 * Says how many sessions are plain, and which keys encrypt the others. `sessions` are decoded items, of the whole table
 * or of a sample.
 */
function checkEncryption(sessions, isWholeTable, { encryption, values }, report) {
  const keyIds = encryption.keys().map(({ id }) => id)
  const live = sessions.filter(({ isSession, isExpired }) => isSession && !isExpired)
  const isEncrypted = ({ form }) => form === 'encrypted'
  const plain = live.filter((each) => each.form !== undefined && !isEncrypted(each)).length
  const counts = countBy(live.filter(isEncrypted).map(({ keyId }) => keyId))
  const scope = isWholeTable ? 'all live sessions' : 'a sample of live sessions'
  const parts = [`${plain} plain`, ...listOf([...counts].map(([id, count]) => `${count} encrypted under ${id}`))]
  const detail = `${scope}: ${parts.join(', ')}`

  const unknown = [...counts.keys()].filter((id) => !keyIds.includes(id))
  if (unknown.length > 0) {
    return report(
      'encryption',
      'failed',
      `${detail}; the key file does not contain ${listOf(unknown).join(', ')}`,
      'add the missing key to the key file and to the keys of the app: without it, these sessions cannot be read'
    )
  }
  const unreadable = countBy(live.filter((each) => isEncrypted(each) && !each.session).map(({ keyId }) => keyId))
  if (unreadable.size > 0) {
    const list = [...unreadable].map(([id, count]) => `${count} under ${id}`)
    return report(
      'encryption',
      'failed',
      `${detail}; cannot be decrypted: ${listOf(list).join(', ')}`,
      'check that the key file has the same keys as the app; if it does, these items were changed, and the app treats their sessions as missing'
    )
  }
  const inUse = keyIds.slice(1).filter((id) => counts.has(id))
  const advice = adviceFor({ plain, inUse, keyIds, isWholeTable, rewrite: suggestedCommand('rewrite', values) })
  return report('encryption', 'ok', detail, advice)
}

/** What is still needed, and what can go. */
function adviceFor({ plain, inUse, keyIds, isWholeTable, rewrite }) {
  const command = plain > 0 ? `${rewrite} --accept-plain` : rewrite
  const needed = [...(plain > 0 ? ['acceptPlain'] : []), ...inUse.map((id) => `the key ${id}`)]
  if (needed.length > 0) {
    return `the app still needs ${needed.join(' and ')}; to encrypt these sessions under ${keyIds[0]}, run: ${command}`
  }
  const older = keyIds.slice(1).map((id) => `the key ${id}`)
  const removable = `once all processes of the app encrypt under ${keyIds[0]}, ${['acceptPlain', ...older].join(' and ')} can go`
  return isWholeTable ? removable : `${removable}; to check the whole table first, run: ${rewrite} --dry-run`
}

/** The first texts, and the number of the others: items with junk can have any number of key IDs. */
function listOf(texts) {
  const others = texts.length - MAX_LISTED
  return others > 0 ? [...texts.slice(0, MAX_LISTED), `${others} more`] : texts
}

function countBy(values) {
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

module.exports = { checkEncryption }
