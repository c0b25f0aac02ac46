'use strict'

const { randomUUID } = require('node:crypto')
const { causeText, hintFor, isCredentialsError } = require('../hints.js')
const { Table } = require('../table.js')
const { checkClock } = require('./host.js')
const { checkPermissions } = require('./permissions.js')
const { checkTable, checkTimeToLive } = require('./table.js')
const { checkUserIndex } = require('./user-index.js')

/** A diagnosis should be faster than a long copy. */
const limits = { timeout: 10_000, maxAttempts: 2 }

/** Milliseconds of a read from another Region, at least. */
const FAR_AWAY = 50

/**
 * Makes every check that needs requests. `report(name, status, detail, hint)` receives the results. Resolves to the cost
 * in capacity units, and to the host that the requests went to, if it is known.
 */
async function checkService({ options, values, report, reads, userIndex }) {
  const table = new Table(options, limits)
  await checkTableOf(table, { values, report, reads, userIndex })
  const { read, write } = table.consumed
  return { cost: { readUnits: read, writeUnits: write }, host: table.host }
}

async function checkTableOf(table, { values, report, reads, userIndex }) {
  const description = await table.tryRequest('DescribeTable')
  const endpoint = endpointOf(values, table)
  const isReachable = checkConnection(table, description, endpoint, report)
  if (description.error?.code === 'ConfigError') return
  if (isReachable) {
    // A key without an item: all requests use it.
    const key = table.keyOf(`dynamodb-session-doctor-${randomUUID()}`)
    if (await checkTable(table, description, key, report)) {
      await checkTimeToLive(table, report)
      await checkPermissions(table, key, report)
      if (userIndex !== undefined) await checkUserIndex(table, userIndex, description.value?.Table, report)
      await checkLatency(table, key, reads, report)
    }
  }
  await checkClock(endpoint, report)
}

/** Checks Region, endpoint, and credentials. Returns whether the service accepts requests. */
function checkConnection({ options, host }, { value, error }, endpointUrl, report) {
  const { values } = options
  const hint = error && hintFor(error, { command: 'doctor', values })
  if (error?.code === 'ConfigError') {
    report(/region/i.test(error.message) ? 'region' : 'settings', 'failed', error.message, hint)
    return false
  }
  report('region', 'ok', regionSource(values, options, value))
  const endpoint = endpointUrl ?? host ?? "the Region's endpoint"
  if (error?.code === 'NetworkError' || error?.code === 'TimeoutError') {
    report('endpoint', 'failed', `${endpoint}: ${messageWithCause(error)}`, hint)
    return false
  }
  if (error?.code === 'CredentialsError') {
    report('endpoint', 'unknown', `${endpoint}: not checked, because requests need credentials`)
    report('credentials', 'failed', messageWithCause(error), hint)
    return false
  }
  report('endpoint', 'ok', `${endpoint} responds`)
  if (error !== undefined && isCredentialsError(error)) {
    report('credentials', 'failed', `${credentialsSource(options)}: ${error.message}`, hint)
    return false
  }
  report('credentials', 'ok', credentialsSource(options))
  return true
}

async function checkLatency(table, key, reads, report) {
  const times = []
  for (let i = 0; i < reads; i++) {
    const start = performance.now()
    const { error } = await table.tryRequest('GetItem', { Key: key })
    // The check of GetItem reports what is wrong.
    if (error !== undefined) return report('latency', 'unknown', `a read failed: ${error.code}`)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor((times.length - 1) / 2)]
  return report(
    'latency',
    'ok',
    `median ${median.toFixed(1)} ms, maximum ${times.at(-1).toFixed(1)} ms, ${reads} reads`,
    median > FAR_AWAY ? "run in the table's Region for reads of a few milliseconds" : undefined
  )
}

function messageWithCause(error) {
  const cause = causeText(error)
  return cause === undefined ? error.message : `${error.message}: ${cause}`
}

/**
 * The Region and its source. If neither the options nor the environment set the Region, its name comes from the ARN
 * in the table's description.
 */
function regionSource(values, { region }, description) {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  if (values.region !== undefined) return `${region} (--region)`
  if (region !== undefined) return `${region} (the ARN of the table)`
  if (AWS_REGION) return `${AWS_REGION} (AWS_REGION)`
  if (AWS_DEFAULT_REGION) return `${AWS_DEFAULT_REGION} (AWS_DEFAULT_REGION)`
  const regionOfTable = description?.Table?.TableArn?.split(':')[3]
  return `${regionOfTable ? `${regionOfTable} ` : ''}(the profile)`
}

function regionOf({ region }) {
  return region ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || undefined)
}

/** The URL that the options and the environment set, or undefined if the profile sets a different host. */
function endpointOf(values, { options, host }) {
  const url = configuredEndpoint(values, options)
  const isUsed = host === undefined || (URL.canParse(url) && hostOf(url) === host.toLowerCase())
  return isUsed ? url : undefined
}

function hostOf(url) {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

/** The URL of the service, or undefined if it depends on the profile. */
function configuredEndpoint(values, options) {
  const { AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT } = process.env
  const given = values.endpoint ?? (AWS_ENDPOINT_URL_DYNAMODB || AWS_ENDPOINT_URL)
  if (given) return given.replace(/\/\/[^/]*@/, '//')
  const region = regionOf(options)
  const isSpecial = [AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT].includes('true')
  if (region === undefined || isSpecial) return undefined
  return `https://dynamodb.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

/** The source of the credentials: the --profile option, or the first match in the order of the AWS provider chain. */
function credentialsSource({ profile }) {
  const { env } = process
  if (profile !== undefined) return `found (profile ${profile})`
  if (env.AWS_ACCESS_KEY_ID) {
    return `found in the environment${env.AWS_PROFILE ? `, which takes precedence over the profile ${env.AWS_PROFILE}` : ''}`
  }
  if (env.AWS_PROFILE) return `found (profile ${env.AWS_PROFILE})`
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return 'found (web identity)'
  if (env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || env.AWS_CONTAINER_CREDENTIALS_FULL_URI) return 'found (container)'
  return 'found by the default credential provider chain'
}

module.exports = { checkService }
