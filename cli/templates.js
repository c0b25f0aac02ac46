'use strict'

// The table and its IAM policy for each tool.

/** A YAML string: every JSON string is one. */
const yamlString = JSON.stringify

function cloudformation(settings) {
  const { table, hashKey, sortKey, expires, throughput, userIndex, pitr, protect, actions, leadingKeys } = settings
  const keys =
    sortKey === undefined
      ? [[hashKey, 'HASH']]
      : [
          [hashKey, 'HASH'],
          [sortKey, 'RANGE']
        ]
  const definitions = [...keys.map(([name]) => name), ...(userIndex ? [userIndex.attribute] : [])].map(
    (name) => `
        - AttributeName: ${yamlString(name)}
          AttributeType: S`
  )
  const schema = keys.map(
    ([name, kind]) => `
        - AttributeName: ${yamlString(name)}
          KeyType: ${kind}`
  )
  const units = (indent) => `${indent}ProvisionedThroughput:
${indent}  ReadCapacityUnits: ${throughput[0]}
${indent}  WriteCapacityUnits: ${throughput[1]}`
  const capacity = throughput
    ? `BillingMode: PROVISIONED
${units('      ')}`
    : 'BillingMode: PAY_PER_REQUEST'
  const index = userIndex
    ? `
      GlobalSecondaryIndexes:
        - IndexName: ${yamlString(userIndex.name)}
          KeySchema:
            - AttributeName: ${yamlString(userIndex.attribute)}
              KeyType: HASH
          Projection:
            ProjectionType: KEYS_ONLY${throughput ? `\n${units('          ')}` : ''}`
    : ''
  const indexStatement = userIndex
    ? `
          - Effect: Allow
            Action:
              - dynamodb:Query
            Resource:
              Fn::Sub: "\${Sessions.Arn}/index/${userIndex.name}"`
    : ''
  const options = [
    ...(pitr
      ? [
          `
      PointInTimeRecoverySpecification:
        PointInTimeRecoveryEnabled: true`
        ]
      : []),
    ...(protect
      ? [
          `
      DeletionProtectionEnabled: true`
        ]
      : [])
  ]
  const condition = leadingKeys
    ? `
            Condition:
              ForAllValues:StringLike:
                dynamodb:LeadingKeys:
                  - ${yamlString(leadingKeys)}`
    : ''
  return `AWSTemplateFormatVersion: "2010-09-09"
Description: The session table of a web app that uses dynamodb-session
Resources:
  Sessions:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: ${yamlString(table)}
      ${capacity}
      AttributeDefinitions:${definitions.join('')}
      KeySchema:${schema.join('')}${index}
      TimeToLiveSpecification:
        AttributeName: ${yamlString(expires)}
        Enabled: true${options.join('')}
  SessionsPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Permissions that the app needs for its session table
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action:${actions
              .map(
                (action) => `
              - dynamodb:${action}`
              )
              .join('')}
            Resource:
              Fn::GetAtt: [Sessions, Arn]${condition}${indexStatement}
Outputs:
  SessionsTable:
    Value:
      Ref: Sessions
  SessionsTableArn:
    Value:
      Fn::GetAtt: [Sessions, Arn]
  SessionsPolicyArn:
    Description: Attach this policy to the role of the app
    Value:
      Ref: SessionsPolicy`
}

/** An HCL string, in which template sequences are escaped. */
const hclString = (value) => JSON.stringify(value).replace(/([$%])\{/g, '$1$1{')

/** Lines of `name = value` with the equals signs aligned, as terraform fmt does. */
function aligned(pairs, indent = '  ') {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)} = ${value}`).join('\n')
}

function terraform(settings) {
  const { table, hashKey, sortKey, expires, throughput, userIndex, pitr, protect, actions, leadingKeys } = settings
  const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
  const units = throughput
    ? [
        ['read_capacity', throughput[0]],
        ['write_capacity', throughput[1]]
      ]
    : []
  const tableArguments = [
    ['name', hclString(table)],
    ['billing_mode', throughput ? '"PROVISIONED"' : '"PAY_PER_REQUEST"'],
    ...units,
    ['hash_key', hclString(hashKey)],
    ...(sortKey === undefined ? [] : [['range_key', hclString(sortKey)]])
  ]
  const attributes = [...keys, ...(userIndex ? [userIndex.attribute] : [])].map(
    (name) => `
  attribute {
    name = ${hclString(name)}
    type = "S"
  }
`
  )
  const indexArguments = userIndex && [
    ['name', hclString(userIndex.name)],
    ['hash_key', hclString(userIndex.attribute)],
    ['projection_type', '"KEYS_ONLY"'],
    ...units
  ]
  const index = userIndex
    ? `
  global_secondary_index {
${aligned(indexArguments, '    ')}
  }
`
    : ''
  const indexStatement = userIndex
    ? `

  statement {
    actions   = ["dynamodb:Query"]
    resources = ["\${aws_dynamodb_table.sessions.arn}/index/${userIndex.name}"]
  }`
    : ''
  const recovery = pitr
    ? `
  point_in_time_recovery {
    enabled = true
  }
`
    : ''
  const protection = protect
    ? `
  deletion_protection_enabled = true
`
    : ''
  const condition = leadingKeys
    ? `

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = [${hclString(leadingKeys)}]
    }`
    : ''
  return `# The session table of a web app that uses dynamodb-session.

resource "aws_dynamodb_table" "sessions" {
${aligned(tableArguments)}
${attributes.join('')}${index}
  ttl {
    attribute_name = ${hclString(expires)}
    enabled        = true
  }
${recovery}${protection}
  lifecycle {
    prevent_destroy = true
  }
}

# The permissions that the app needs.
data "aws_iam_policy_document" "sessions" {
  statement {
    actions = [
${actions.map((action) => `      "dynamodb:${action}",`).join('\n')}
    ]
    resources = [aws_dynamodb_table.sessions.arn]${condition}
  }${indexStatement}
}

# Attach this policy to the role of the app.
resource "aws_iam_policy" "sessions" {
  name_prefix = "dynamodb-session-"
  policy      = data.aws_iam_policy_document.sessions.json
}

output "sessions_table" {
  value = aws_dynamodb_table.sessions.name
}

output "sessions_policy_arn" {
  value = aws_iam_policy.sessions.arn
}`
}

/** A TypeScript string in single quotes. */
const typeScriptString = (value) =>
  `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

function cdk(settings) {
  const { table, hashKey, sortKey, expires, throughput, userIndex, pitr, protect, actions, leadingKeys } = settings
  const key = (name) => `{ name: ${typeScriptString(name)}, type: dynamodb.AttributeType.STRING }`
  const units = throughput ? [`readCapacity: ${throughput[0]}`, `writeCapacity: ${throughput[1]}`] : []
  const properties = [
    `tableName: ${typeScriptString(table)}`,
    `partitionKey: ${key(hashKey)}`,
    ...(sortKey === undefined ? [] : [`sortKey: ${key(sortKey)}`]),
    `timeToLiveAttribute: ${typeScriptString(expires)}`,
    ...(throughput
      ? ['billingMode: dynamodb.BillingMode.PROVISIONED', ...units]
      : ['billingMode: dynamodb.BillingMode.PAY_PER_REQUEST']),
    ...(pitr ? ['pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true }'] : []),
    ...(protect ? ['deletionProtection: true'] : []),
    'removalPolicy: RemovalPolicy.RETAIN'
  ]
  const condition = leadingKeys
    ? `,
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [${typeScriptString(leadingKeys)}] } }`
    : ''
  const indexProperties = userIndex && [
    `indexName: ${typeScriptString(userIndex.name)}`,
    `partitionKey: ${key(userIndex.attribute)}`,
    'projectionType: dynamodb.ProjectionType.KEYS_ONLY',
    ...units
  ]
  const index = userIndex
    ? `
    this.table.addGlobalSecondaryIndex({
      ${indexProperties.join(',\n      ')}
    })`
    : ''
  const indexStatement = userIndex
    ? `
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: [\`\${this.table.tableArn}/index/${userIndex.name}\`]
      })
    )`
    : ''
  return `import { RemovalPolicy } from 'aws-cdk-lib'
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'

/** The session table of a web app that uses dynamodb-session. */
export class SessionTable extends Construct {
  readonly table: dynamodb.Table

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.table = new dynamodb.Table(this, 'Sessions', {
      ${properties.join(',\n      ')}
    })${index}
  }

  /** Grants the permissions that the app needs: new SessionTable(this, 'Sessions').grantApp(appFunction) */
  grantApp(grantee: iam.IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: [
${actions.map((action) => `          'dynamodb:${action}'`).join(',\n')}
        ],
        resources: [this.table.tableArn]${condition}
      })
    )${indexStatement}
  }
}`
}

module.exports = { cloudformation, terraform, cdk }
