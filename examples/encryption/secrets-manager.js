'use strict'

// The keys are a secret in AWS Secrets Manager. To create it:
//
//   npx dynamodb-session keys --file keys.json
//   aws secretsmanager create-secret --name session-keys --secret-string file://keys.json
//   rm keys.json
//
// The app needs the permission secretsmanager:GetSecretValue for this secret.
//
// To rotate, add a new key as the last one:
//
//   aws secretsmanager get-secret-value --secret-id session-keys --query SecretString --output text > keys.json
//   npx dynamodb-session keys --file keys.json --last
//   aws secretsmanager put-secret-value --secret-id session-keys --secret-string file://keys.json
//   rm keys.json
//
// Make it the first one six minutes later. All processes have it by then, because they fetch the secret every five minutes,
// so you do not need to deploy the app. Before you remove the old key, encrypt the remaining sessions under the new one:
//
//   aws secretsmanager get-secret-value --secret-id session-keys --query SecretString --output text |
//     npx dynamodb-session rewrite --keys -

const { GetSecretValueCommand, SecretsManagerClient } = require('@aws-sdk/client-secrets-manager')

const client = new SecretsManagerClient()
const SecretId = process.env.SESSION_KEYS_SECRET ?? 'session-keys'

async function getKeys() {
  // The SDK has no time limit of its own.
  const settings = { abortSignal: AbortSignal.timeout(5000) }
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }), settings)
  try {
    return JSON.parse(SecretString)
  } catch {
    throw new Error(`The secret ${SecretId} is not JSON.`) // the error of JSON.parse quotes the secret
  }
}

module.exports = { getKeys }
