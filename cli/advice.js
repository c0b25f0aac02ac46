'use strict'

const codesOfBadCredentials = [
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'MissingAuthenticationTokenException'
]
const codesOfThrottling = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'Throttling'
]

const adviceOnKeys = 'give the --layout of the package that made the table, or --hash-key and --sort-key'

/** Whether the service does not take the credentials, or there are none. */
function isAboutCredentials({ code }) {
  return code === 'CredentialsError' || codesOfBadCredentials.includes(code)
}

/** What a person can do about an error of the store, or undefined. */
function adviceFor(error) {
  const { code, operation } = error
  if (code === 'CredentialsError') {
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile (after aws sso login, if it is one of SSO)'
  }
  if (codesOfBadCredentials.includes(code)) {
    return 'the credentials are wrong or have expired: renew them, and see that they are those of this Region'
  }
  if (code === 'ConfigError' && /region/i.test(error.message)) return 'give --region, or set AWS_REGION'
  if (code === 'ValidationException' && /key element/i.test(error.message)) return adviceOnKeys
  if (code === 'UnknownOperationException') return 'this service cannot do that: is --endpoint the right one?'
  if (code === 'ResourceNotFoundException') {
    return 'look at --table and --region, or create the table: npx dynamodb-session init'
  }
  if (code === 'AccessDeniedException') {
    return `let the policy allow dynamodb:${operation}: npx dynamodb-session policy prints one`
  }
  if (code === 'NetworkError' || code === 'TimeoutError')
    return 'look at --endpoint and --region, the network and the proxy'
  if (codesOfThrottling.includes(code)) return 'give a lower --rate or --read-rate, or the table more capacity'
  return undefined
}

/** What stands behind an error, such as a refused connection or the credentials that were looked for, or undefined. */
function reasonOf({ cause }) {
  return cause?.message.replace(/^dispatch failure: (io error: |.*?the credentials provider failed: )?/s, '')
}

module.exports = { adviceFor, adviceOnKeys, isAboutCredentials, reasonOf }
