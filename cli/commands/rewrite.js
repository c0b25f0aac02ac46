'use strict'

const { runResumable } = require('../checkpoint.js')
const { confirm } = require('../terminal.js')
const { exitCodes, usageError } = require('../error.js')
const {
  acceptPlainOption,
  connectionOptions,
  formOptions,
  layoutOptions,
  rateOptions,
  stateOption,
  storeOptions,
  yesOption
} = require('../options.js')
const { countLines, withFailures } = require('../output.js')
const { formatCount } = require('../progress.js')
const { RateLimiter, concurrencyFor, defaultWriteRate, scanTable } = require('../scan.js')
const { userAttributeOption } = require('../user-index.js')

module.exports = {
  summary: 'Encrypt, decrypt, or compress the sessions of a table, or add their users',
  description: `
Writes each live session again in the form that the options require, and skips sessions that already have it. The expiry
and all other attributes stay. A session that the app changes in the meantime is never overwritten: the command reads it
again, and rewrites it if necessary.

--keys encrypts under the first key of the file: sessions that are encrypted already, and with --accept-plain also plain
ones. With --decrypt, sessions become plain again. --compress compresses, and --decompress writes plain sessions. --user
writes the attribute that finds the sessions of a user: with --keys, as a hash. Without --keys, --compress, and
--decompress, only this attribute is written.

First deploy the app so that all of its processes can read the new form. An app that does not know the key cannot read
an encrypted session.

The scan costs half a read capacity unit per 4 KB of the table. A session that is written costs one write capacity unit
per KB, rounded up, and one more for a new value in the index of the users.

Ctrl-C stops the command after the requests in progress, saves a checkpoint file, and prints the command that resumes.
The file contains a session ID. Keep it private.

Exit code 1 means that a session could not be read or written.`,
  options: {
    ...connectionOptions,
    ...layoutOptions,
    ...formOptions,
    'accept-plain': acceptPlainOption,
    decrypt: { type: 'boolean', description: 'Write plain sessions instead of encrypted ones; requires --keys' },
    decompress: { type: 'boolean', description: 'Write plain sessions instead of compressed ones' },
    'user-attribute': userAttributeOption,
    ...rateOptions,
    state: stateOption,
    'dry-run': { type: 'boolean', description: 'Write nothing; only count the sessions that would be rewritten' },
    yes: yesOption
  },
  examples: [
    'rewrite --keys keys.json --accept-plain --dry-run',
    'rewrite --keys keys.json --user passport.user --rate 50',
    'rewrite --keys keys.json --decrypt',
    'rewrite --user passport.user'
  ],

  async run({ values, output }) {
    requireForm(values)
    const { Table } = require('../table.js')
    const { Rewriting } = require('../rewriting.js')
    const table = new Table(storeOptions(values, undefined, { writes: true }))
    const { table: name, region, hashKey, sortKey, prefix, attributes, format, encryption } = table.options
    const description = await table.describeIfAllowed()
    const isDry = values['dry-run'] === true
    if (!isDry) await confirm(`Rewrite the sessions in ${name} (${goalOf(values, table.options)})?`, values)

    const rate = values.rate ?? defaultWriteRate(description)
    const writes = new RateLimiter(rate)
    const { keys, decrypt, compress, decompress, user, 'hash-ids': hashIds, 'accept-plain': acceptPlain } = values
    const run = {
      command: 'rewrite',
      table: name,
      region,
      arn: description?.TableArn,
      hashKey,
      sortKey,
      prefix,
      attributes,
      format,
      hashIds,
      compress,
      decompress,
      decrypt,
      acceptPlain,
      user,
      keyId: keys === undefined ? undefined : encryption.keys()[0].id,
      isDry
    }
    const keepsForm = keys === undefined && !compress && !decompress
    const { counts, exitCode, summary, summaryLine } = await runResumable(
      {
        values,
        run,
        counts: Rewriting.initialCounts,
        output,
        total: description?.ItemCount,
        tables: [table],
        detailOf: ({ rewritten, unreadable, failed }) =>
          withFailures(`${formatCount(rewritten)} ${isDry ? 'to rewrite' : 'rewritten'}`, unreadable + failed)
      },
      (checkpoint, signal) => {
        const { counts } = checkpoint
        const rewriting = new Rewriting({ table, keepsForm, isDry, writes, counts })
        return scanTable({
          table,
          concurrency: isDry ? Infinity : concurrencyFor(rate),
          reads: new RateLimiter(values['read-rate']),
          writes,
          checkpoint,
          signal,
          handleItem: (item) => rewriting.handleItem(item)
        })
      }
    )

    const finished = exitCode === exitCodes.success
    output.result({ table: name, finished, dryRun: isDry, ...counts, run: summary }, [
      ...formatCounts(counts, values, attributes),
      summaryLine
    ])
    const note = noteAboutUsers(counts, values, attributes)
    if (note !== undefined) output.note(note)
    if (!finished) return exitCode
    return counts.unreadable + counts.failed > 0 ? exitCodes.failed : exitCodes.success
  }
}

function requireForm({ keys, decrypt, compress, decompress, user, 'accept-plain': acceptPlain }) {
  if (decrypt && keys === undefined) throw usageError('--decrypt requires --keys')
  if (acceptPlain && keys === undefined) throw usageError('--accept-plain requires --keys')
  if (compress && decompress) throw usageError('--compress and --decompress cannot be combined')
  if (keys === undefined && !compress && !decompress && user === undefined) {
    throw usageError('set the form of the sessions: --keys, --compress, --decompress, or --user')
  }
}

function goalOf({ keys, decrypt, compress, decompress, user }, { encryption }) {
  const isEncrypted = keys !== undefined && !decrypt
  return [
    ...(isEncrypted ? [`encrypted under the key ${encryption.keys()[0].id}`] : []),
    ...(compress ? ['compressed'] : []),
    ...((decrypt || decompress) && !compress && !isEncrypted ? ['plain'] : []),
    ...(user === undefined ? [] : ['with the user'])
  ].join(', ')
}

/** What to do about users that the command did not find, or undefined. */
function noteAboutUsers({ withoutUser, keptUser }, { keys, user }, attributes) {
  const mayNeedKey = keys !== undefined && keptUser > 0
  if (user === undefined) {
    return mayNeedKey
      ? `the attribute ${attributes.user} was not changed in ${keptUser} of these sessions: if the app has the user option, run this command again with --user before you remove a key`
      : undefined
  }
  if (withoutUser === 0) return undefined
  const text = `no user was found at ${user} in ${withoutUser} of these sessions, which destroyAllOf may miss: if users are logged in with them, check --user`
  return mayNeedKey ? `${text}; if the user option of the app is a function, keep all keys` : text
}

function formatCounts(counts, { user, 'dry-run': isDry }, attributes) {
  const labels = {
    rewritten: isDry ? 'would be rewritten' : 'rewritten',
    same: 'already in this form',
    changed: 'changed by the app in the meantime, and already in this form or deleted',
    expired: 'expired, skipped',
    unreadable: 'unreadable',
    failed: 'failed',
    foreign: 'not sessions, skipped',
    withoutUser: `of these without a user at ${user}`,
    keptUser: `of these with the attribute ${attributes.user}, which was not changed`
  }
  return countLines(counts, labels, 'reason')
}
