'use strict'

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

/** The URL of the service, or undefined if it depends on the profile. */
function endpointOf(values, options) {
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

module.exports = { credentialsSource, endpointOf, regionSource }
