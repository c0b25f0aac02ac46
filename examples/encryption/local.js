'use strict'

// Starts the app with stand-ins for Secrets Manager and KMS on this machine, and with a new key.

const { createCipheriv, createDecipheriv, randomBytes } = require('node:crypto')
const http = require('node:http')
const { json } = require('node:stream/consumers')

const NONCE = 12
const TAG = 16
const id = 'local'
const key = randomBytes(32).toString('base64')
const kmsKey = randomBytes(32)

/** The two actions that the app calls. */
const actions = {
  'secretsmanager.GetSecretValue': ({ SecretId }) => ({ Name: SecretId, SecretString: JSON.stringify([{ id, key }]) }),
  'TrentService.Decrypt': ({ KeyId, CiphertextBlob, EncryptionContext }) => ({
    KeyId,
    Plaintext: decrypt(CiphertextBlob, EncryptionContext)
  })
}

function encrypt(key, context) {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', kmsKey, nonce).setAAD(Buffer.from(JSON.stringify(context)))
  return Buffer.concat([nonce, cipher.update(key, 'base64'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

function decrypt(ciphertext, context) {
  const blob = Buffer.from(ciphertext, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', kmsKey, blob.subarray(0, NONCE))
  decipher.setAAD(Buffer.from(JSON.stringify(context))).setAuthTag(blob.subarray(-TAG))
  return Buffer.concat([decipher.update(blob.subarray(NONCE, -TAG)), decipher.final()]).toString('base64')
}

const server = http.createServer(async (request, response) => {
  const input = await json(request)
  try {
    response.end(JSON.stringify(actions[request.headers['x-amz-target']](input)))
  } catch {
    response.writeHead(400).end('{"__type":"InvalidCiphertextException"}')
  }
})

server.listen(0, '127.0.0.1', () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
    AWS_ENDPOINT_URL_KMS: endpoint,
    SESSION_KEYS: JSON.stringify([{ id, ciphertext: encrypt(key, { 'session-key': id }) }])
  })
  require('./app')
})
