'use strict'

// The keys are in the app's configuration, encrypted under a key in AWS KMS that never leaves KMS. To create one:
//
//   aws kms generate-data-key-without-plaintext --key-id alias/session-keys --key-spec AES_256 \
//     --encryption-context session-key=2026-11 --query CiphertextBlob --output text
//
// GenerateDataKeyWithoutPlaintext returns a random key of 32 bytes that only KMS can decrypt, so nobody sees the key while
// it is created. The output is not a secret. Put it into the configuration with its ID, the newest key first:
//
//   SESSION_KEYS='[{ "id": "2026-11", "ciphertext": "AQIDAHh…" }]'
//
// The app needs the permission kms:Decrypt for the KMS key.
//
// To rotate, deploy the app twice: with the new key as the second one, so that all processes can decrypt its sessions, then
// as the first one. Before you remove the old key, encrypt the remaining sessions under the new one:
//
//   node -e "require('./kms').getKeys().then((keys) => console.log(JSON.stringify(keys)))" |
//     npx dynamodb-session rewrite --keys -

const { DecryptCommand, KMSClient } = require('@aws-sdk/client-kms')

const client = new KMSClient()
const KeyId = process.env.SESSION_KEYS_KMS_KEY ?? 'alias/session-keys'

async function getKeys() {
  return Promise.all(JSON.parse(process.env.SESSION_KEYS).map(decrypt))
}

async function decrypt({ id, ciphertext }) {
  const command = new DecryptCommand({
    KeyId,
    CiphertextBlob: Buffer.from(ciphertext, 'base64'),
    // Decrypt succeeds only with the context that was given at creation: a key cannot be passed off as another one.
    EncryptionContext: { 'session-key': id }
  })
  // The SDK has no time limit of its own.
  const { Plaintext } = await client.send(command, { abortSignal: AbortSignal.timeout(5000) })
  return { id, key: Buffer.from(Plaintext).toString('base64') }
}

module.exports = { getKeys }
