'use strict'

const { serverKind } = require('./server')

const unsignedHost = 'the service checks the signature, which covers the host'
const dynalite = {
  timeToLive: 'dynalite has no UpdateTimeToLive',
  itemSize: 'dynalite measures text in characters instead of bytes',
  itemCount: 'dynalite does not count items in DescribeTable',
  tags: 'dynalite ignores the tags of CreateTable',
  conditionItem: 'dynalite returns no item when a condition fails',
  mapEquality: 'dynalite does not compare maps',
  protoName: 'dynalite loses attributes named __proto__'
}
const aws = {
  tags: 'DynamoDB Local has no tags',
  longNames: 'DynamoDB Local cannot parse names of more than 50,000 characters'
}
const outside = {
  tableName: 'this server may have a table of that name',
  itemCount: 'the service counts items every six hours',
  ...(/amazonaws/.test(process.env.ENDPOINT) && { proxy: unsignedHost, anyCredentials: unsignedHost })
}
const service = {
  ...outside,
  provisioned: 'the tables of a run are on-demand',
  tags: 'the tables of a run have its tag',
  thousands: 'a run does not send tens of thousands of requests for one test',
  tableName: 'the tables of a run have its prefix'
}
const missing = { embedded: {}, dynalite, aws, outside, service }[serverKind]

/** Options that skip a test if the server lacks one of these features. */
function needs(...features) {
  const reason = features.map((feature) => missing[feature]).find(Boolean)
  return { skip: reason ?? false }
}

module.exports = { needs }
