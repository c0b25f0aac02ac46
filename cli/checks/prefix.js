'use strict'

/** Characters that end a prefix and that session IDs usually do not contain. */
const SEPARATORS = ':#|'

/** If more prefixes than this are found, they are probably session IDs that contain a separator. */
const MAX_PREFIXES = 5

/**
 * The input of a Scan for the keys of sessions, and with encryption for the sessions and their users, among the first
 * items of the table.
 */
function sessionSample({ hashKey, sortKey, prefix, attributes, encryption, user }) {
  const conditions = [prefix === '' ? 'attribute_exists(#session)' : 'begins_with(#key, :prefix)']
  if (sortKey !== undefined) conditions.push('#sort = #key')
  const hasSession = encryption !== undefined
  const hasUser = hasSession && user !== undefined
  const names = ['#key', hasSession && '#session, #expires', hasUser && '#user', hasSession && sortKey && '#sort']
  return {
    Limit: 200,
    ProjectionExpression: names.filter(Boolean).join(', '),
    FilterExpression: conditions.join(' AND '),
    ExpressionAttributeNames: {
      '#key': hashKey,
      ...((prefix === '' || hasSession) && { '#session': attributes.session }),
      ...(hasSession && { '#expires': attributes.expires }),
      ...(hasUser && { '#user': attributes.user }),
      ...(sortKey !== undefined && { '#sort': sortKey })
    },
    ...(prefix !== '' && { ExpressionAttributeValues: { ':prefix': { S: prefix } } })
  }
}

/** Prefixes of other stores that start with this store's prefix, such as `sess:admin:` for `sess:`. */
function longerPrefixes(ids, prefix) {
  // The last character of a prefix such as `sess/` is also a separator.
  const ownSeparator = /[^\w-]$/.exec(prefix)?.[0] ?? ''
  const isSeparator = (character) => SEPARATORS.includes(character) || character === ownSeparator
  const found = new Set()
  for (const id of ids) {
    const end = [...id].findIndex(isSeparator)
    const word = id.slice(0, Math.max(end, 0))
    // Anything longer than this, or not a word, may be part of a session ID.
    if (/^[A-Za-z][\w-]{0,31}$/.test(word) && id.length > end + 1) found.add(prefix + word + id[end])
  }
  return found.size > MAX_PREFIXES ? [] : [...found].sort()
}

/** Warns about stores whose prefix starts with this store's prefix: this store would treat their sessions as its own. */
function checkPrefix(ids, { prefix }, report) {
  const longer = longerPrefixes(ids, prefix)
  if (longer.length === 0) return
  const list = longer.map((text) => JSON.stringify(text)).join(', ')
  report(
    'prefix',
    'warning',
    `some keys start with ${list}, which starts with this store's prefix ${JSON.stringify(prefix)}: this store reads those sessions too, and clear() deletes them`,
    'if a different store uses that prefix, change one prefix so that neither starts with the other'
  )
}

module.exports = { checkPrefix, longerPrefixes, sessionSample }
