'use strict'

const { runResumable } = require('../checkpoint.js')
const { confirm } = require('../terminal.js')
const { exitCodes, usageError } = require('../error.js')
const {
  acceptPlainOption,
  connectionOptions,
  formOptions,
  keysOption,
  layoutOptions,
  optionsOfSide,
  rateOptions,
  readLayoutOptions,
  stateOption,
  storeOptions,
  yesOption
} = require('../options.js')
const { countLines, withFailures } = require('../output.js')
const { formatCount } = require('../progress.js')
const { RateLimiter, concurrencyFor, defaultWriteRate, scanTable } = require('../scan.js')
const { userAttributeOption } = require('../user-index.js')

const { table: _table, ...sharedOptions } = connectionOptions

module.exports = {
  summary: 'Copy sessions to a different table or layout, and verify each copy',
  description: `
Writes each live session to the target and reads it back. Skips expired sessions and other items. Other attributes of an
item are copied too. The source is not changed, and the target table must exist (run init to create it).

--from-keys decrypts the sessions of the source, and --to-keys encrypts the copies. With both, plain sessions of the
source are copied only with --from-accept-plain. --to-hash-ids moves an existing table to hashed session IDs.

You can run the command again before the app switches to the target, to copy what is new: a session that has a later
expiry in the target is newer and is kept. A session with the same expiry but different content is also kept, and counts
as different. --overwrite replaces both. A run after the switch also restores sessions that users have ended in the
target, such as by a logout, because they are still in the source.

--region, --endpoint, and --profile apply to both sides; options that start with --from or --to take precedence. A
profile set by an option takes precedence over keys in the environment.

The scan costs one read capacity unit per 4 KB of the source. Each session costs a write and a consistent read of the
target.

Ctrl-C stops the command after the requests in progress, saves a checkpoint file, and prints the command that resumes.
The file contains a session ID. Keep it private.

Exit code 1 means that a session could not be written, could not be verified, or is different from the source.`,
  options: {
    ...optionsOfSide('from', {
      ...connectionOptions,
      ...readLayoutOptions,
      keys: keysOption,
      'accept-plain': acceptPlainOption
    }),
    ...optionsOfSide('to', {
      ...connectionOptions,
      ...layoutOptions,
      ...formOptions,
      'user-attribute': userAttributeOption
    }),
    ...sharedOptions,
    ...rateOptions,
    state: stateOption,
    overwrite: {
      type: 'boolean',
      description: 'Also replace sessions that have the same or a later expiry in the target'
    },
    'verify-only': {
      type: 'boolean',
      description: 'Write nothing; only report sessions that are missing from the target or different from the source'
    },
    'dry-run': { type: 'boolean', description: 'Write nothing; only report what would be copied' },
    yes: yesOption
  },
  examples: [
    'migrate --from-table old --from-layout dynamodb-store --to-table sessions --dry-run',
    'migrate --from-table old --from-layout dynamodb-store --to-table sessions --rate 50',
    'migrate --from-region us-east-1 --to-region eu-central-1 --verify-only'
  ],

  async run({ values, output }) {
    if (values.overwrite && (values['verify-only'] || values['dry-run'])) {
      throw usageError('--overwrite cannot be combined with --verify-only or --dry-run')
    }
    if (values['from-hash-ids'] && !values['to-hash-ids']) {
      throw usageError('--from-hash-ids requires --to-hash-ids: a hash cannot be turned back into a session ID')
    }
    const { Table } = require('../table.js')
    const { Migration } = require('../migration.js')
    const from = new Table(storeOptions(values, 'from'))
    const to = new Table(storeOptions(values, 'to'))
    const mode = values['verify-only'] ? 'verify' : values['dry-run'] ? 'dry-run' : 'copy'
    const overwrite = values.overwrite === true

    let isOneTable = haveSameLocation(from.options, to.options)
    if (isOneTable) requireDifferentKeys(from.options, to.options)
    const source = await from.describeIfAllowed()
    const target = await to.describeIfAllowed()
    if (haveSameArn(source, target)) {
      isOneTable = true
      requireDifferentKeys(from.options, to.options)
    }
    if (from.options.encryption !== undefined && to.options.encryption === undefined) {
      output.note('the copies are not encrypted; to encrypt them, set --to-keys')
    }
    if (mode === 'copy') {
      const [fromText, toText] = [from, to].map(({ options }) => `${options.table} (${options.layout})`)
      await confirm(`Copy the sessions from ${fromText} to ${toText}?`, values)
    }

    const rate = values.rate ?? defaultWriteRate(target)
    const writes = new RateLimiter(rate)
    const run = {
      command: 'migrate',
      table: from.options.table,
      source: source?.TableArn,
      target: target?.TableArn,
      layouts: [from.options, to.options].map(locationAndLayout),
      mode,
      overwrite
    }
    const { counts, exitCode, summary, summaryLine } = await runResumable(
      {
        values,
        run,
        counts: Migration.initialCounts,
        output,
        total: source?.ItemCount,
        tables: [from, to],
        detailOf: (counts) => detailOf(counts, mode)
      },
      (checkpoint, signal) => {
        const { counts } = checkpoint
        const migration = new Migration({ from, to, isOneTable, mode, overwrite, writes, counts })
        return scanTable({
          table: from,
          consistentRead: true,
          concurrency: concurrencyFor(rate),
          reads: new RateLimiter(values['read-rate']),
          writes,
          checkpoint,
          signal,
          handleItem: (item) => migration.handleItem(item)
        })
      }
    )

    const finished = exitCode === exitCodes.success
    const result = { finished, mode, from: from.options.table, to: to.options.table, ...counts, run: summary }
    output.result(result, [...formatCounts(counts, mode, to.options), summaryLine])
    noteUsers(counts, to.options, output)
    if (!finished) return exitCode
    const hasProblems = counts.different + counts.failed > 0 || (mode === 'verify' && counts.missing > 0)
    return hasProblems ? exitCodes.failed : exitCodes.success
  }
}

/** What the line of the progress says about the sessions. */
function detailOf({ copied, same, different, missing, failed }, mode) {
  const problems = different + missing + failed
  if (mode === 'verify') return withFailures(`${formatCount(same)} verified`, problems, 'with differences')
  return withFailures(`${formatCount(copied)} ${mode === 'dry-run' ? 'to copy' : 'copied'}`, problems)
}

/** Identifies a side in the checkpoint file. */
function locationAndLayout({ encryption, acceptsPlain, ...options }) {
  const { table, region, endpoint, hashKey, sortKey, prefix, attributes, format, hashIds, compression, user } = options
  const keyId = encryption?.keys()[0].id
  return {
    table,
    region,
    endpoint,
    hashKey,
    sortKey,
    prefix,
    attributes,
    format,
    hashIds,
    compression,
    user,
    keyId,
    acceptsPlain
  }
}

function haveSameLocation(from, to) {
  return areEqual(from, to, ['table', 'region', 'endpoint', 'profile'])
}

/**
 * Two profiles, or a name and an ARN, can refer to the same table. Emulators of DynamoDB use account 000000000000 for
 * all tables, so their ARNs do not identify a table.
 */
function haveSameArn(source, target) {
  return (
    source?.TableArn !== undefined &&
    source.TableArn === target?.TableArn &&
    !source.TableArn.includes(':000000000000:')
  )
}

function requireDifferentKeys(from, to) {
  if (!areEqual(from, to, ['hashKey', 'sortKey', 'prefix', 'hashIds'])) return
  throw usageError(
    'the source and the target are the same items: set --to-table, --to-region, --to-layout, --to-prefix, or --to-hash-ids'
  )
}

function areEqual(from, to, names) {
  return names.every((name) => from[name] === to[name])
}

function noteUsers({ withoutUser, keptUser }, { user, attributes }, output) {
  if (withoutUser > 0) {
    output.note(
      `no user was found at ${user} in ${withoutUser} of these sessions, which destroyAllOf may miss: if users are logged in with them, check --to-user`
    )
  } else if (keptUser > 0) {
    output.note(
      `the attribute ${attributes.user} was copied unchanged in ${keptUser} of these sessions: if the app has the user option, also set --to-user`
    )
  }
}

function formatCounts(counts, mode, { user, attributes }) {
  const labels = {
    copied: mode === 'dry-run' ? 'would be copied' : 'copied and verified',
    same: 'already in the target',
    kept: 'newer in the target, kept',
    expired: 'expired, skipped',
    missing: 'missing from the target',
    different: 'different from the source',
    failed: 'failed',
    corrupt: 'unreadable, skipped',
    foreign: 'not sessions, skipped',
    withoutUser: `of these without a user at ${user}`,
    keptUser: `of these with the attribute ${attributes.user}, which was copied unchanged`
  }
  return countLines(counts, labels, 'failed')
}
