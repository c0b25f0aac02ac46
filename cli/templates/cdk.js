'use strict'

/** A TypeScript string in single quotes. */
const text = (value) => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

module.exports = ({ table, hashKey, sortKey, expires, throughput, pitr, protect, actions, leadingKeys }) => {
  const key = (name) => `{ name: ${text(name)}, type: dynamodb.AttributeType.STRING }`
  const properties = [
    `tableName: ${text(table)}`,
    `partitionKey: ${key(hashKey)}`,
    ...(sortKey === undefined ? [] : [`sortKey: ${key(sortKey)}`]),
    `timeToLiveAttribute: ${text(expires)}`,
    ...(throughput
      ? [
          'billingMode: dynamodb.BillingMode.PROVISIONED',
          `readCapacity: ${throughput[0]}`,
          `writeCapacity: ${throughput[1]}`
        ]
      : ['billingMode: dynamodb.BillingMode.PAY_PER_REQUEST']),
    ...(pitr ? ['pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true }'] : []),
    ...(protect ? ['deletionProtection: true'] : []),
    'removalPolicy: RemovalPolicy.RETAIN'
  ]
  const condition = leadingKeys
    ? `,
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [${text(leadingKeys)}] } }`
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
    })
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
    )
  }
}`
}
