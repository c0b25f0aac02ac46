'use strict'

/** What each use of a table asks of the service. */
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

/** Actions on items, which a condition on their keys can narrow; a Scan names no key. */
const itemActions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

/** The actions of these features, each once, in one order. */
function actionsOf(names) {
  const order = [...itemActions, 'Scan']
  const actions = [...new Set(names.flatMap((name) => features[name]))]
  const rank = (action) => (order.includes(action) ? order.indexOf(action) : order.length)
  return actions.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** An IAM policy; with `prefix`, for the items whose keys begin with it only. */
function policyFor(names, resource, prefix) {
  const actions = actionsOf(names)
  const statement = (some, more) => ({ Effect: 'Allow', Action: some.map(named), Resource: resource, ...more })
  if (prefix === undefined) return { Version: '2012-10-17', Statement: [statement(actions)] }
  const narrowed = actions.filter((action) => itemActions.includes(action))
  const others = actions.filter((action) => !itemActions.includes(action))
  // The signs that IAM reads as patterns or variables stand for themselves.
  const keys = `${prefix.replace(/[*?$]/g, '${$&}')}*`
  const Condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } }
  return {
    Version: '2012-10-17',
    Statement: [
      ...(narrowed.length > 0 ? [statement(narrowed, { Condition })] : []),
      ...(others.length > 0 ? [statement(others)] : [])
    ]
  }
}

const named = (action) => `dynamodb:${action}`

module.exports = { actionsOf, features, policyFor }
