'use strict'

/** A YAML string: every JSON string is one. */
const text = JSON.stringify

module.exports = ({ table, hashKey, sortKey, expires, throughput, pitr, protect, actions, leadingKeys }) => {
  const keys =
    sortKey === undefined
      ? [[hashKey, 'HASH']]
      : [
          [hashKey, 'HASH'],
          [sortKey, 'RANGE']
        ]
  const definitions = keys.map(
    ([name]) => `
        - AttributeName: ${text(name)}
          AttributeType: S`
  )
  const schema = keys.map(
    ([name, kind]) => `
        - AttributeName: ${text(name)}
          KeyType: ${kind}`
  )
  const capacity = throughput
    ? `BillingMode: PROVISIONED
      ProvisionedThroughput:
        ReadCapacityUnits: ${throughput[0]}
        WriteCapacityUnits: ${throughput[1]}`
    : 'BillingMode: PAY_PER_REQUEST'
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
                  - ${text(leadingKeys)}`
    : ''
  return `AWSTemplateFormatVersion: "2010-09-09"
Description: The session table of a web app that uses dynamodb-session
Resources:
  Sessions:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: ${text(table)}
      ${capacity}
      AttributeDefinitions:${definitions.join('')}
      KeySchema:${schema.join('')}
      TimeToLiveSpecification:
        AttributeName: ${text(expires)}
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
              Fn::GetAtt: [Sessions, Arn]${condition}
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
