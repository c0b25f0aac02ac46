'use strict'

const { suggestedCommand } = require('../hints.js')
const { countUsers } = require('./users.js')

/** The largest number of key IDs in a list. */
const MAX_LISTED = 10

/**
 * Says how many sessions are plain, and which keys encrypt the others, and with --user the same about users. `sessions`
 * are decoded items, of the whole table or of a sample.
 */
function checkEncryption(sessions, isWholeTable, options, report) {
  const { encryption, values } = options
  const keyIds = encryption.keys().map(({ id }) => id)
  const live = sessions.filter(({ isSession, isExpired }) => isSession && !isExpired)
  const isEncrypted = ({ form }) => form === 'encrypted'
  const plain = live.filter((each) => each.form !== undefined && !isEncrypted(each)).length
  const counts = countBy(live.filter(isEncrypted).map(({ keyId }) => keyId))
  const scope = isWholeTable ? 'all live sessions' : 'a sample of live sessions'
  const parts = [`${plain} plain`, ...listOf([...counts].map(([id, count]) => `${count} encrypted under ${id}`))]
  const detail = `${scope}: ${parts.join(', ')}`

  const rewrite = suggestedCommand('rewrite', values)
  const users = values.user === undefined ? undefined : checkUsers(live, scope, options, rewrite, report)
  const unknown = [...counts.keys()].filter((id) => !keyIds.includes(id))
  const isUnreadable = (each) => isEncrypted(each) && each.session === undefined && !each.lacksKey
  const unreadable = [...countBy(live.filter(isUnreadable).map(({ keyId }) => keyId))]
  const problems = [
    ...(unknown.length > 0 ? [`the key file does not contain ${listOf(unknown).join(', ')}`] : []),
    ...(unreadable.length > 0
      ? [`cannot be decrypted: ${listOf(unreadable.map(([id, count]) => `${count} under ${id}`)).join(', ')}`]
      : [])
  ]
  if (problems.length > 0) {
    const hints = [
      ...(unknown.length > 0
        ? ['add the missing key to the key file and to the keys of the app: without it, these sessions cannot be read']
        : []),
      ...(unreadable.length > 0
        ? [
            'check that the key file has the same keys as the app; if it does, the items that cannot be decrypted were changed or copied, and the app treats their sessions as missing'
          ]
        : [])
    ]
    return report('encryption', 'failed', [detail, ...problems].join('; '), hints.join('; '))
  }
  const inUse = keyIds.slice(1).filter((id) => counts.has(id) || users?.keyIds.includes(id))
  const advice = adviceFor({ plain, users, inUse, keyIds, isWholeTable, values, rewrite })
  return report('encryption', 'ok', detail, advice)
}

/** Says how the users of live sessions are stored. Returns the counts, and whether all users were found. */
function checkUsers(live, scope, options, rewrite, report) {
  const { attributes, user: path } = options
  const readable = live.filter(({ session }) => session !== undefined)
  const counts = countUsers(readable, options)
  const { keyIds, plain, missed, nobody, kept } = counts
  const hashed = [...countBy(keyIds)].map(([id, count]) => `${count} hashed under ${id}`)
  const detail = `${scope}: ${[`${plain} plain`, ...listOf(hashed), `${nobody} without a user`].join(', ')}`

  const isWrongPath = kept > 0 || (nobody > 0 && nobody === readable.length)
  const problems = [
    ...(missed > 0 ? [`destroyAllOf misses ${missed}, which the attribute ${attributes.user} does not contain`] : []),
    ...(kept > 0 ? [`${kept} with the attribute ${attributes.user}, but without a user at ${path}`] : [])
  ]
  const hints = [
    ...(isWrongPath ? ['check --user; if the user option of the app is a function, keep all keys'] : []),
    ...(missed > 0 ? [`to write the users that are missing, run: ${rewrite}`] : [])
  ]
  const status = hints.length > 0 ? 'warning' : 'ok'
  report('users', status, [detail, ...problems].join('; '), hints.length > 0 ? hints.join('; ') : undefined)
  return { ...counts, areFound: status === 'ok' }
}

/** What is still needed, and what can go. A key that is removed too early makes destroyAllOf miss users. */
function adviceFor({ plain, users, inUse, keyIds, isWholeTable, values, rewrite }) {
  const command = plain > 0 ? `${rewrite} --accept-plain` : rewrite
  const needsPlain = plain > 0 || users?.plain > 0
  const needed = [...(needsPlain ? ['acceptPlain'] : []), ...inUse.map((id) => `the key ${id}`)]
  if (needed.length > 0) {
    const subject = users === undefined ? 'these sessions' : 'these sessions and users'
    return `the app still needs ${needed.join(' and ')}; to encrypt ${subject} under ${keyIds[0]}, run: ${command}`
  }
  const older = keyIds.slice(1).map((id) => `the key ${id}`)
  const removable = ['acceptPlain', ...older]
  const condition = `once all processes of the app encrypt under ${keyIds[0]}`
  if (users === undefined) {
    const doctor = `${suggestedCommand('doctor', values)} --user <path>`
    return `${condition}, the sessions no longer need ${removable.join(' or ')}; if the app has the user option, its users may: to check them, run: ${doctor}`
  }
  if (!users.areFound) return `keep ${removable.join(' and ')} until the check of the users finds no problem`
  const advice = `${condition}, ${removable.join(' and ')} can go`
  return isWholeTable ? advice : `${advice}; to check the whole table first, run: ${rewrite} --dry-run`
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
