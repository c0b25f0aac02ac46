'use strict'

const { usageError } = require('../error.js')
const { connectionOptions, hidden, keyOptions, storeOptions } = require('../options.js')
const { actionsOf, features, leadingKeys } = require('../permissions.js')
const { listOf, oneOf, positiveInteger } = require('../parse.js')
const templates = require('../templates.js')
const { userIndexIfSet, userIndexOptions } = require('../user-index.js')

/** The features that an app can use on an existing table. */
const appFeatures = ['sessions', 'sessions-without-touch', 'scan', 'clear', 'describe']

module.exports = {
  summary: 'Print the table and its IAM policy for CloudFormation, Terraform, or the CDK',
  description: `
Prints YAML for CloudFormation, HCL for the AWS provider of Terraform, or a TypeScript construct for the CDK. The table
is on-demand unless you set --read or --write, has time to live (TTL) enabled, and is kept when its stack is deleted.
--user-index adds the secondary index that an app with the user option needs, and the permission to query it.

This command sends no requests.`,
  positionals: ['cloudformation|terraform|cdk'],
  options: {
    table: connectionOptions.table,
    ...keyOptions,
    'hash-ids': hidden(keyOptions['hash-ids']),
    read: {
      type: 'string',
      placeholder: 'units',
      description: 'Provisioned read capacity units',
      parse: positiveInteger
    },
    write: {
      type: 'string',
      placeholder: 'units',
      description: 'Provisioned write capacity units',
      parse: positiveInteger
    },
    ...userIndexOptions,
    pitr: { type: 'boolean', description: 'Enable point-in-time recovery' },
    'deletion-protection': { type: 'boolean', description: 'Enable deletion protection' },
    features: {
      type: 'string',
      placeholder: 'a,b,…',
      description: `Features that the app uses: ${appFeatures.join(', ')}`,
      default: 'sessions',
      parse: parseFeatures
    },
    'leading-keys': {
      type: 'boolean',
      description: 'Allow only items whose key starts with the prefix of the sessions'
    }
  },
  examples: [
    'template cloudformation > sessions.yaml',
    'template terraform --table web-sessions --pitr > sessions.tf',
    'template cdk --layout baseline --user-index > session-table.ts'
  ],

  run({ values, positionals, output }) {
    const kind = oneOf(Object.keys(templates))(positionals[0], 'template')
    const { table, hashKey, sortKey, prefix, attributes } = storeOptions(values)
    if (table.startsWith('arn:')) throw usageError('--table must be a name, because the template creates the table')
    const featureNames = values.features ?? ['sessions']
    const hasUnits = values.read !== undefined || values.write !== undefined
    const text = templates[kind]({
      table,
      hashKey,
      sortKey,
      expires: attributes.expires,
      userIndex: userIndexIfSet(values),
      throughput: hasUnits ? [values.read ?? 5, values.write ?? 5] : undefined,
      pitr: values.pitr,
      protect: values['deletion-protection'],
      actions: actionsOf(featureNames),
      leadingKeys: values['leading-keys'] ? leadingKeysFor(featureNames, prefix) : undefined
    })
    output.result({ template: kind, text: `${text}\n` }, [text])
  }
}

function parseFeatures(text, name) {
  const isUser = (part) => part.trim() === 'user'
  if (text.split(',').some(isUser)) throw usageError(`instead of the feature user in ${name}, use --user-index`)
  return listOf(appFeatures)(text, name)
}

/** The pattern of the keys for an IAM condition. */
function leadingKeysFor(featureNames, prefix) {
  if (prefix === '') throw usageError('--leading-keys requires a prefix, and this layout has none')
  const isWithoutKey = (action) => /^(Scan|Describe)/.test(action)
  if (featureNames.some((name) => features[name].some(isWithoutKey))) {
    throw usageError('--leading-keys can only be combined with the features sessions and sessions-without-touch')
  }
  return leadingKeys(prefix)['ForAllValues:StringLike']['dynamodb:LeadingKeys'][0]
}
