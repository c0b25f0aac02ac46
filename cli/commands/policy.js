'use strict'

const { usageError } = require('../error.js')
const { connection, layout, storeOptions } = require('../options.js')
const { listOf } = require('../parse.js')
const { features, policyFor } = require('../permissions.js')

const { table, region } = connection

module.exports = {
  summary: 'print the IAM policy with the least that an app or this tool needs',
  description: `
Features:
${Object.entries(features)
  .map(([name, actions]) => `  ${name.padEnd(22)} ${name === 'cli' ? 'all commands of this tool' : actions.join(', ')}`)
  .join('\n')}

An app on a table that is there needs sessions; with the option createTable, also create-table, and tags if it
has some. Koa and Fastify do without touch. The account and the Region that are not given stand as ACCOUNT_ID
and REGION in the ARN.`,
  options: {
    features: {
      type: 'string',
      value: 'a,b,…',
      text: 'what is used, of the list above',
      default: 'sessions',
      parse: listOf(Object.keys(features))
    },
    table,
    region: { ...region, default: 'AWS_REGION' },
    account: { type: 'string', value: 'id', text: 'AWS account of 12 digits', parse: account },
    'leading-keys': { type: 'boolean', text: 'only for items whose key begins with the prefix of the sessions' },
    layout: layout.layout,
    prefix: layout.prefix
  },
  examples: [
    'policy --table sessions --region eu-central-1 --account 123456789012',
    'policy --features sessions,create-table',
    'policy --features cli --table sessions > policy.json'
  ],

  run({ values, output }) {
    const { table: name, prefix } = storeOptions(values)
    const isNarrow = values['leading-keys']
    if (isNarrow && prefix === '') throw usageError('--leading-keys needs a prefix, which this layout has not')
    const arn = arnOf(name, values)
    if (/ACCOUNT_ID|REGION/.test(arn) && !values.json) {
      output.note(`put the account and the Region into ${arn}, or give --account and --region`)
    }
    // A policy is JSON either way.
    output.text(JSON.stringify(policyFor(values.features ?? ['sessions'], arn, isNarrow ? prefix : undefined), null, 2))
  }
}

function arnOf(table, { region: given, account: id = 'ACCOUNT_ID' }) {
  if (table.startsWith('arn:')) return table
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const place = given ?? (AWS_REGION || AWS_DEFAULT_REGION || 'REGION')
  const partition = place.startsWith('cn-') ? 'aws-cn' : place.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  return `arn:${partition}:dynamodb:${place}:${id}:table/${table}`
}

function account(text, name) {
  if (!/^\d{12}$/.test(text)) throw usageError(`${name} must be 12 digits`)
  return text
}
