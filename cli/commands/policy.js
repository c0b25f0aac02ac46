'use strict'

const { usageError } = require('../error.js')
const { connectionOptions, layoutOption, layoutOptions, storeOptions } = require('../options.js')
const { features, policyFor } = require('../permissions.js')
const { listOf } = require('../parse.js')
const { userAttributeOption, userIndexOf } = require('../user-index.js')

const featureLines = Object.entries(features).map(
  ([name, actions]) => `  ${name.padEnd(24)} ${name === 'cli' ? 'all commands of this tool' : actions.join(', ')}`
)

/** The placeholders of an ARN, and the options that replace them. */
const placeholderOptions = { ACCOUNT_ID: '--account', REGION: '--region' }

module.exports = {
  summary: 'Print the least-privilege IAM policy for an app or for this tool',
  description: `
Features:
${featureLines.join('\n')}

An app that uses an existing table needs sessions. With the createTable option, it also needs create-table, and tags
if you set tags. With the user option, it also needs user. Koa and Fastify apps need only sessions-without-touch.

If you do not set the account and the Region, the ARN has the placeholders ACCOUNT_ID and REGION. This command sends no
requests.`,
  options: {
    features: {
      type: 'string',
      placeholder: 'a,b,…',
      description: 'Features from the list above, separated by commas',
      default: 'sessions',
      parse: listOf(Object.keys(features))
    },
    table: connectionOptions.table,
    region: { ...connectionOptions.region, default: 'AWS_REGION' },
    account: { type: 'string', placeholder: 'id', description: 'AWS account ID of 12 digits', parse: parseAccount },
    'leading-keys': {
      type: 'boolean',
      description: 'Allow only items whose key starts with the prefix of the sessions'
    },
    layout: layoutOption('the default prefix'),
    prefix: layoutOptions.prefix,
    'user-attribute': userAttributeOption
  },
  examples: [
    'policy --table sessions --region eu-central-1 --account 123456789012',
    'policy --features sessions,create-table',
    'policy --features sessions,user',
    'policy --features cli --table sessions > policy.json'
  ],

  run({ values, output }) {
    const { table, prefix } = storeOptions(values)
    const leadingKeys = values['leading-keys']
    if (leadingKeys && prefix === '') throw usageError('--leading-keys requires a prefix, and this layout has none')
    const arn = tableArn(table, values)
    const placeholders = Object.keys(placeholderOptions).filter((name) => arn.includes(name))
    if (placeholders.length > 0 && !values.json) {
      const options = placeholders.map((name) => placeholderOptions[name])
      output.note(`Replace ${placeholders.join(' and ')} in the policy, or set ${options.join(' and ')}`)
    }
    const policy = policyFor(values.features ?? ['sessions'], {
      table: arn,
      index: userIndexOf(values).name,
      prefix: leadingKeys ? prefix : undefined
    })
    // A policy is JSON, with or without --json.
    output.text(JSON.stringify(policy, null, 2))
  }
}

function tableArn(table, { region: givenRegion, account = 'ACCOUNT_ID' }) {
  if (table.startsWith('arn:')) return table
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const region = givenRegion ?? (AWS_REGION || AWS_DEFAULT_REGION || 'REGION')
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  return `arn:${partition}:dynamodb:${region}:${account}:table/${table}`
}

function parseAccount(text, name) {
  if (!/^\d{12}$/.test(text)) throw usageError(`${name} must be 12 digits`)
  return text
}
