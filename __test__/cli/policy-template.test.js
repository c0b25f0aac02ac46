'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { parse: parseHcl } = require('@cdktf/hcl2json')
const ts = require('typescript')
const YAML = require('yaml')
const { runCli } = require('../support/cli')

const run = async (...args) => {
  const result = await runCli(args)
  assert.equal(result.code, 0, result.stderr)
  return result
}
const policy = async (...args) => (await run('policy', ...args)).json

describe('policy', () => {
  test('allows the four actions of an app on one table', async () => {
    const args = ['--table', 'web', '--region', 'eu-central-1', '--account', '123456789012']
    assert.deepEqual(await policy(...args), {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
          Resource: 'arn:aws:dynamodb:eu-central-1:123456789012:table/web'
        }
      ]
    })
  })

  for (const [features, actions] of [
    ['sessions-without-touch', 'GetItem PutItem DeleteItem'],
    ['create-table', 'CreateTable DescribeTable DescribeTimeToLive UpdateTimeToLive'],
    ['reap', 'DeleteItem Scan DescribeTable'],
    ['show,rm', 'GetItem DeleteItem'],
    ['migrate-to', 'GetItem PutItem DescribeTable'],
    ['user-index', 'DescribeTable UpdateTable'],
    [
      'cli',
      'GetItem PutItem UpdateItem DeleteItem Scan CreateTable DescribeTable DescribeTimeToLive UpdateTable UpdateTimeToLive'
    ]
  ]) {
    test(`allows the actions of ${features}`, async () => {
      const { Statement } = await policy('--features', features)
      assert.deepEqual(
        Statement[0].Action,
        actions.split(' ').map((action) => `dynamodb:${action}`)
      )
    })
  }

  test('uses placeholders for an unknown account and Region, and says so', async () => {
    const { json, stderr } = await run('policy')
    assert.equal(json.Statement[0].Resource, 'arn:aws:dynamodb:REGION:ACCOUNT_ID:table/sessions')
    assert.match(stderr, /--account and --region/)
    const arn = 'arn:aws-cn:dynamodb:cn-north-1:123456789012:table/web'
    assert.equal((await policy('--table', arn)).Statement[0].Resource, arn)
    assert.match((await policy('--region', 'us-gov-west-1')).Statement[0].Resource, /^arn:aws-us-gov:/)
  })

  test('allows Query on the index of the users', async () => {
    const table = 'arn:aws:dynamodb:eu-central-1:123456789012:table/web'
    const query = (index) => ({ Effect: 'Allow', Action: ['dynamodb:Query'], Resource: `${table}/index/${index}` })
    assert.deepEqual((await policy('--table', table, '--features', 'user')).Statement, [query('user-index')])
    const args = ['--table', table, '--features', 'sessions,user', '--leading-keys', '--user-attribute', 'owner']
    const { Statement } = await policy(...args)
    assert.deepEqual([Statement.length, Statement[0].Resource, Statement[1]], [2, table, query('owner-index')])
    assert.ok(Statement[0].Condition)
    assert.deepEqual((await policy('--table', table, '--features', 'cli')).Statement[1], query('user-index'))
  })

  test('limits actions with keys to the keys of the sessions', async () => {
    const { Statement } = await policy('--features', 'sessions,scan', '--leading-keys', '--prefix', 'a*$:')
    assert.deepEqual(
      Statement.map(({ Action, Condition }) => [Action.length, Condition]),
      [
        [4, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['a${*}${$}:*'] } }],
        [1, undefined]
      ]
    )
  })
})

describe('template', () => {
  const all = ['--layout', 'baseline', '--pitr', '--deletion-protection', '--leading-keys', '--prefix', '${a}"%{b}\':']
  const leadingKeys = '${$}{a}"%{b}\':*'

  test('prints a CloudFormation template', async () => {
    const { Resources } = YAML.parse((await run('template', 'cloudformation')).stdout)
    const { Properties, DeletionPolicy } = Resources.Sessions
    assert.equal(DeletionPolicy, 'Retain')
    assert.deepEqual(Properties, {
      TableName: 'sessions',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true }
    })
    const [statement] = Resources.SessionsPolicy.Properties.PolicyDocument.Statement
    assert.equal(statement.Action.length, 4)
    assert.deepEqual(statement.Resource, { 'Fn::GetAtt': ['Sessions', 'Arn'] })
  })

  test('prints a CloudFormation template with all options', async () => {
    const { Resources } = YAML.parse((await run('template', 'cloudformation', '--read', '3', ...all)).stdout)
    const { Properties } = Resources.Sessions
    assert.deepEqual(Properties.ProvisionedThroughput, { ReadCapacityUnits: 3, WriteCapacityUnits: 5 })
    assert.deepEqual(Properties.KeySchema[1], { AttributeName: 'sk', KeyType: 'RANGE' })
    assert.equal(Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, true)
    assert.equal(Properties.DeletionProtectionEnabled, true)
    const [{ Condition }] = Resources.SessionsPolicy.Properties.PolicyDocument.Statement
    assert.deepEqual(Condition, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [leadingKeys] } })
  })

  test('prints a Terraform configuration', async () => {
    const { resource, data } = await parseHcl('main.tf', (await run('template', 'terraform')).stdout)
    const [table] = resource.aws_dynamodb_table.sessions
    assert.deepEqual([table.name, table.billing_mode, table.hash_key], ['sessions', 'PAY_PER_REQUEST', 'id'])
    assert.deepEqual(table.ttl, [{ attribute_name: 'expires', enabled: true }])
    assert.equal(data.aws_iam_policy_document.sessions[0].statement[0].actions.length, 4)
  })

  test('prints a Terraform configuration with all options', async () => {
    const { stdout } = await run('template', 'terraform', '--write', '3', ...all)
    const { resource, data } = await parseHcl('main.tf', stdout)
    const [table] = resource.aws_dynamodb_table.sessions
    assert.deepEqual([table.read_capacity, table.write_capacity, table.range_key], [5, 3, 'sk'])
    assert.deepEqual(
      table.attribute.map(({ name }) => name),
      ['pk', 'sk']
    )
    assert.deepEqual([table.point_in_time_recovery, table.deletion_protection_enabled], [[{ enabled: true }], true])
    const [{ values }] = data.aws_iam_policy_document.sessions[0].statement[0].condition
    // The parser does not resolve escaped template sequences.
    assert.equal(values[0].replace(/([$%])\1\{/g, '$1{'), leadingKeys)
  })

  for (const args of [[], ['--read', '3', ...all]]) {
    test(`prints a construct for the CDK${args.length > 0 ? ' with all options' : ''}`, async () => {
      const { stdout } = await run('template', 'cdk', ...args)
      const { diagnostics } = ts.transpileModule(stdout, { reportDiagnostics: true })
      assert.deepEqual(diagnostics, [])
      assert.match(stdout, /timeToLiveAttribute: 'expires'/)
      assert.match(stdout, /removalPolicy: RemovalPolicy.RETAIN/)
    })
  }

  const index = ['--user-index', '--user-attribute', 'owner']

  test('prints a CloudFormation template with the index of the users', async () => {
    const { Resources } = YAML.parse((await run('template', 'cloudformation', '--read', '3', ...index)).stdout)
    const { AttributeDefinitions, GlobalSecondaryIndexes } = Resources.Sessions.Properties
    assert.deepEqual(AttributeDefinitions[1], { AttributeName: 'owner', AttributeType: 'S' })
    const expected = {
      IndexName: 'owner-index',
      KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' }
    }
    const ProvisionedThroughput = { ReadCapacityUnits: 3, WriteCapacityUnits: 5 }
    assert.deepEqual(GlobalSecondaryIndexes, [{ ...expected, ProvisionedThroughput }])
    const [, statement] = Resources.SessionsPolicy.Properties.PolicyDocument.Statement
    assert.deepEqual(statement, {
      Effect: 'Allow',
      Action: ['dynamodb:Query'],
      Resource: { 'Fn::Sub': '${Sessions.Arn}/index/owner-index' }
    })
    const onDemand = YAML.parse((await run('template', 'cloudformation', ...index)).stdout)
    assert.deepEqual(onDemand.Resources.Sessions.Properties.GlobalSecondaryIndexes, [expected])
  })

  test('prints a Terraform configuration with the index of the users', async () => {
    const { stdout } = await run('template', 'terraform', '--read', '3', ...index)
    const { resource, data } = await parseHcl('main.tf', stdout)
    const [{ attribute, global_secondary_index }] = resource.aws_dynamodb_table.sessions
    assert.deepEqual(attribute[1], { name: 'owner', type: 'S' })
    const expected = { name: 'owner-index', hash_key: 'owner', projection_type: 'KEYS_ONLY' }
    assert.deepEqual(global_secondary_index, [{ ...expected, read_capacity: 3, write_capacity: 5 }])
    assert.deepEqual(data.aws_iam_policy_document.sessions[0].statement[1], {
      actions: ['dynamodb:Query'],
      resources: ['${aws_dynamodb_table.sessions.arn}/index/owner-index']
    })
  })

  test('prints a construct for the CDK with the index of the users', async () => {
    const { stdout } = await run('template', 'cdk', '--read', '3', ...index)
    assert.deepEqual(ts.transpileModule(stdout, { reportDiagnostics: true }).diagnostics, [])
    assert.match(stdout, /addGlobalSecondaryIndex\(\{\s+indexName: 'owner-index',[^}]*name: 'owner'/)
    assert.match(stdout, /ProjectionType\.KEYS_ONLY,\s+readCapacity: 3/)
    assert.match(
      stdout,
      /actions: \['dynamodb:Query'\],\s+resources: \[`\$\{this\.table\.tableArn\}\/index\/owner-index`\]/
    )
  })

  test('prints JSON with --json', async () => {
    const { json } = await run('template', 'terraform', '--json')
    assert.equal(json.template, 'terraform')
    assert.match(json.text, /^resource "aws_dynamodb_table"/m)
  })
})
