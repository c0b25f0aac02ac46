'use strict'

const os = require('node:os')

/** All variables that the addon and the AWS SDK in it read. */
const names = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_ACCOUNT_ID',
  'AWS_ACCOUNT_ID_ENDPOINT_MODE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_DYNAMODB',
  'AWS_ENDPOINT_URL_STS',
  'AWS_ENDPOINT_URL_SSO',
  'AWS_ENDPOINT_URL_SSO_OIDC',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_RETRY_MODE',
  'AWS_MAX_ATTEMPTS',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE',
  'AWS_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
  'HTTPS_PROXY',
  'https_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
  'PATH'
]

/** The variables that are set, by name. `HOME` is the home folder, even if the variable is not set. */
function environmentVariables() {
  const { env } = process
  // Without a prototype, so that the addon gets only these members.
  const variables = Object.create(null)
  for (const name of names) {
    const value = env[name]
    if (value !== undefined) variables[name] = String(value)
  }
  const home = homeFolder(env)
  if (home !== undefined) variables.HOME = home
  return variables
}

/** The home folder. The precedence is that of the AWS SDK for JavaScript. */
function homeFolder({ HOME, USERPROFILE, HOMEPATH, HOMEDRIVE = 'C:\\' }) {
  if (HOME?.trim()) return HOME
  if (USERPROFILE?.trim()) return USERPROFILE
  if (HOMEPATH?.trim()) return HOMEDRIVE + HOMEPATH
  try {
    return os.homedir()
  } catch {
    // The user has no entry in the user database, as in some containers.
    return undefined
  }
}

module.exports = { environmentVariables }
