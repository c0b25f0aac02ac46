'use strict'

/** The DynamoDB actions that each feature and each command needs. */
const features = {
  sessions: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
  'sessions-without-touch': ['GetItem', 'PutItem', 'DeleteItem'],
  scan: ['Scan'],
  clear: ['Scan', 'BatchWriteItem'],
  describe: ['DescribeTable', 'DescribeTimeToLive'],
  'create-table': ['DescribeTable', 'CreateTable', 'UpdateTimeToLive', 'DescribeTimeToLive'],
  user: ['Query'],
  'user-index': ['DescribeTable', 'UpdateTable'],
  ttl: ['DescribeTimeToLive', 'UpdateTimeToLive'],
  tags: ['TagResource'],
  init: ['DescribeTable', 'DescribeTimeToLive', 'CreateTable', 'UpdateTimeToLive'],
  doctor: ['DescribeTable', 'DescribeTimeToLive', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan'],
  stats: ['DescribeTable', 'Scan'],
  reap: ['DescribeTable', 'Scan', 'DeleteItem'],
  show: ['GetItem'],
  rm: ['DeleteItem'],
  'migrate-from': ['DescribeTable', 'Scan'],
  'migrate-to': ['DescribeTable', 'GetItem', 'PutItem'],
  rewrite: ['DescribeTable', 'Scan', 'GetItem', 'UpdateItem']
}
const commands = [
  'init',
  'user-index',
  'doctor',
  'user',
  'stats',
  'reap',
  'show',
  'rm',
  'migrate-from',
  'migrate-to',
  'rewrite'
]
features.cli = [...new Set(commands.flatMap((name) => features[name]))]

/** The actions on the index of the users. All other actions are on the table. */
const indexActions = ['Query']

/** Actions that an IAM condition can limit to certain keys. A Scan has no key. */
const itemActions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

/** The actions of these features, sorted and without duplicates. */
function actionsOf(featureNames) {
  const order = [...itemActions, 'Scan']
  const actions = [...new Set(featureNames.flatMap((name) => features[name]))]
  const rank = (action) => (order.includes(action) ? order.indexOf(action) : order.length)
  return actions.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/**
 * An IAM policy. `table` is the ARN of the table, and `index` the name of the index of the users. With `prefix`, the policy
 * is limited to the items whose keys start with this prefix.
 */
function policyFor(featureNames, { table, index, prefix }) {
  const actions = actionsOf(featureNames)
  const statements = (isIncluded, more) => {
    const included = actions.filter(isIncluded)
    return included.length === 0 ? [] : [statement(included, table, more)]
  }
  const isOnIndex = (action) => indexActions.includes(action)
  const isLimited = (action) => prefix !== undefined && itemActions.includes(action)
  return {
    Version: '2012-10-17',
    Statement: [
      ...statements(isLimited, { Condition: leadingKeys(prefix) }),
      ...statements((action) => !isLimited(action) && !isOnIndex(action)),
      ...statements(isOnIndex, { Resource: `${table}/index/${index}` })
    ]
  }
}

function statement(actions, resource, more) {
  return { Effect: 'Allow', Action: actions.map((action) => `dynamodb:${action}`), Resource: resource, ...more }
}

/** An IAM condition that allows only keys with this prefix. */
function leadingKeys(prefix = '') {
  // IAM reads these characters as wildcards or variables unless they are escaped.
  const keys = `${prefix.replace(/[*?$]/g, '${$&}')}*`
  return { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } }
}

module.exports = { actionsOf, features, leadingKeys, policyFor }
