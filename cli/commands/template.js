'use strict'

const { usageError } = require('../error.js')
const { connection, keys, storeOptions } = require('../options.js')
const { count, listOf, oneOf } = require('../parse.js')
const { actionsOf, features, policyFor } = require('../permissions.js')

const kinds = {
  cloudformation: () => require('../templates/cloudformation.js'),
  terraform: () => require('../templates/terraform.js'),
  cdk: () => require('../templates/cdk.js')
}

/** What an app does with a table that it finds; the commands of this tool are for people. */
const forApps = ['sessions', 'sessions-without-touch', 'scan', 'clear', 'describe']

module.exports = {
  summary: 'print the table and its policy for CloudFormation, Terraform or the CDK',
  description: `
cloudformation is YAML, terraform is HCL for the AWS provider, cdk is a construct in TypeScript. The table is on
demand unless --read or --write is given, has its time to live enabled, and outlives its stack.`,
  positionals: ['cloudformation|terraform|cdk'],
  options: {
    table: connection.table,
    ...keys,
    read: { type: 'string', value: 'units', text: 'provisioned read units', parse: count },
    write: { type: 'string', value: 'units', text: 'provisioned write units', parse: count },
    pitr: { type: 'boolean', text: 'with point-in-time recovery' },
    'deletion-protection': { type: 'boolean', text: 'the table cannot be deleted by a request' },
    features: {
      type: 'string',
      value: 'a,b,…',
      text: `what the app uses: ${forApps.join(', ')}`,
      default: 'sessions',
      parse: listOf(forApps)
    },
    'leading-keys': { type: 'boolean', text: 'the policy is only for items whose key begins with the prefix' }
  },
  examples: [
    'template cloudformation > sessions.yaml',
    'template terraform --table web-sessions --pitr > sessions.tf',
    'template cdk --layout baseline > session-table.ts'
  ],

  run({ values, positionals, output }) {
    const kind = oneOf(Object.keys(kinds))(positionals[0], 'the kind of template')
    const { table, hashKey, sortKey, prefix, attributes } = storeOptions(values)
    if (table.startsWith('arn:')) throw usageError('--table must be a name here: the table is yet to be made')
    const names = values.features ?? ['sessions']
    const isNarrow = values['leading-keys']
    if (isNarrow && prefix === '') throw usageError('--leading-keys needs a prefix, which this layout has not')
    if (isNarrow && names.some((name) => features[name].some((action) => /^(Scan|Describe)/.test(action)))) {
      throw usageError('--leading-keys goes with the features sessions and sessions-without-touch only')
    }
    const hasUnits = values.read !== undefined || values.write !== undefined
    const [{ Condition } = {}] = isNarrow ? policyFor(names, '', prefix).Statement : []
    const text = kinds[kind]()({
      table,
      hashKey,
      sortKey,
      expires: attributes.expires,
      throughput: hasUnits ? [values.read ?? 5, values.write ?? 5] : undefined,
      pitr: values.pitr,
      protect: values['deletion-protection'],
      actions: actionsOf(names),
      leadingKeys: Condition?.['ForAllValues:StringLike']['dynamodb:LeadingKeys'][0]
    })
    output.result({ template: kind, text: `${text}\n` }, [text])
  }
}
