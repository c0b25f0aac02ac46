'use strict'

/** An HCL string, in which template sequences are escaped. */
const text = (value) => JSON.stringify(value).replace(/([$%])\{/g, '$1$1{')

/** Lines of `name = value` with the equals signs aligned, as terraform fmt does. */
function aligned(pairs) {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `  ${name.padEnd(width)} = ${value}`).join('\n')
}

module.exports = ({ table, hashKey, sortKey, expires, throughput, pitr, protect, actions, leadingKeys }) => {
  const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
  const settings = [
    ['name', text(table)],
    ['billing_mode', throughput ? '"PROVISIONED"' : '"PAY_PER_REQUEST"'],
    ...(throughput
      ? [
          ['read_capacity', throughput[0]],
          ['write_capacity', throughput[1]]
        ]
      : []),
    ['hash_key', text(hashKey)],
    ...(sortKey === undefined ? [] : [['range_key', text(sortKey)]])
  ]
  const attributes = keys.map(
    (name) => `
  attribute {
    name = ${text(name)}
    type = "S"
  }
`
  )
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
      values   = [${text(leadingKeys)}]
    }`
    : ''
  return `# The session table of a web app that uses dynamodb-session.

resource "aws_dynamodb_table" "sessions" {
${aligned(settings)}
${attributes.join('')}
  ttl {
    attribute_name = ${text(expires)}
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
  }
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
