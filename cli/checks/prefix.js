'use strict'

/** Signs that separate prefixes, and that the usual session IDs do not contain. */
const SEPARATORS = ':#|'

/** More than these are IDs with a separator in them, not prefixes of other stores. */
const MOST_PREFIXES = 5

/** A Scan for the keys that the store takes for its own, among the first items of the table. */
function scanOfKeys({ hashKey, sortKey, prefix, attributes }) {
  const conditions = [prefix === '' ? 'attribute_exists(#session)' : 'begins_with(#key, :prefix)']
  if (sortKey !== undefined) conditions.push('#sort = #key')
  return {
    Limit: 200,
    ProjectionExpression: '#key',
    FilterExpression: conditions.join(' AND '),
    ExpressionAttributeNames: {
      '#key': hashKey,
      ...(prefix === '' && { '#session': attributes.session }),
      ...(sortKey !== undefined && { '#sort': sortKey })
    },
    ...(prefix !== '' && { ExpressionAttributeValues: { ':prefix': { S: prefix } } })
  }
}

/** Prefixes of other stores that begin with this store's, such as `sess:admin:` next to `sess:`. */
function longerPrefixes(keys, prefix) {
  // A prefix such as `sess/` separates with its own last sign.
  const own = /[^\w-]$/.exec(prefix)?.[0] ?? ''
  const isSeparator = (sign) => SEPARATORS.includes(sign) || sign === own
  const found = new Set()
  for (const key of keys) {
    const rest = key.slice(prefix.length)
    const end = [...rest].findIndex(isSeparator)
    const word = rest.slice(0, Math.max(end, 0))
    // What is longer, or is no word, may be an ID.
    if (/^[A-Za-z][\w-]{0,31}$/.test(word) && rest.length > end + 1) found.add(prefix + word + rest[end])
  }
  return found.size > MOST_PREFIXES ? [] : [...found].sort()
}

/** Warns of stores whose prefix begins with this store's, since this store takes their sessions for its own. */
function checkPrefix(keys, { prefix }, tell) {
  const longer = longerPrefixes(keys, prefix)
  if (longer.length === 0) return
  const shown = longer.map((text) => JSON.stringify(text)).join(', ')
  tell(
    'prefix',
    'warning',
    `there are keys that begin with ${shown}, which begins with this store's prefix ${JSON.stringify(prefix)}: this store reads those sessions too, and clear() deletes them`,
    'if another store uses that prefix, give the two stores prefixes of which neither begins with the other'
  )
}

module.exports = { checkPrefix, longerPrefixes, scanOfKeys }
