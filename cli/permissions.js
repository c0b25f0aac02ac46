'use strict'

/** The DynamoDB actions that each feature and each command needs. */
const features = {
  sessions: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
  'sessions-without-touch': ['GetItem', 'PutItem', 'DeleteItem'],
  scan: ['Scan'],
  clear: ['Scan', 'BatchWriteItem'],
  describe: ['DescribeTable', 'DescribeTimeToLive'],
  'create-table': ['DescribeTable', 'CreateTable', 'UpdateTimeToLive', 'DescribeTimeToLive'],
  ttl: ['DescribeTimeToLive', 'UpdateTimeToLive'],
  tags: ['TagResource'],
  init: ['DescribeTable', 'DescribeTimeToLive', 'CreateTable', 'UpdateTimeToLive'],
  doctor: ['DescribeTable', 'DescribeTimeToLive', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan'],
  stats: ['DescribeTable', 'Scan'],
  reap: ['DescribeTable', 'Scan', 'DeleteItem'],
  show: ['GetItem'],
  rm: ['DeleteItem'],
  'migrate-from': ['DescribeTable', 'Scan'],
  'migrate-to': ['DescribeTable', 'GetItem', 'PutItem']
}
const commands = ['init', 'doctor', 'stats', 'reap', 'show', 'rm', 'migrate-from', 'migrate-to']
features.cli = [...new Set(commands.flatMap((name) => features[name]))]

/** Actions that an IAM condition can limit to certain keys. A Scan has no key. */
const itemActions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

/** The actions of these features, sorted and without duplicates. */
function actionsOf(featureNames) {
  const order = [...itemActions, 'Scan']
  const actions = [...new Set(featureNames.flatMap((name) => features[name]))]
  const rank = (action) => (order.includes(action) ? order.indexOf(action) : order.length)
  return actions.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** An IAM policy. With `prefix`, it is limited to the items whose keys start with this prefix. */
function policyFor(featureNames, resource, prefix) {
  const actions = actionsOf(featureNames)
  const statement = (actions, more) => ({
    Effect: 'Allow',
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource: resource,
    ...more
  })
  if (prefix === undefined) return { Version: '2012-10-17', Statement: [statement(actions)] }
  const limited = actions.filter((action) => itemActions.includes(action))
  const others = actions.filter((action) => !itemActions.includes(action))
  // IAM reads these characters as wildcards or variables unless they are escaped.
  const keys = `${prefix.replace(/[*?$]/g, '${$&}')}*`
  const Condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } }
  return {
    Version: '2012-10-17',
    Statement: [
      ...(limited.length > 0 ? [statement(limited, { Condition })] : []),
      ...(others.length > 0 ? [statement(others)] : [])
    ]
  }
}

module.exports = { actionsOf, features, policyFor }
