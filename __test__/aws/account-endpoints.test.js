'use strict'

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { createAuthority, startTlsServer, startTunnel } = require('../support/tls')

const dynamodb = useDynamoDB()
const hosts = [
  '*.us-east-1.amazonaws.com',
  '*.ddb.us-east-1.amazonaws.com',
  '*.us-east-1.api.aws',
  '*.ddb.us-east-1.api.aws'
]
const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
const keys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' }
const staticKeys = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
const arn = (region = 'us-east-1') => `arn:aws:dynamodb:${region}:222222222222:table/sessions`
let authority
let server
let tunnel
let container

before(async () => {
  authority = await createAuthority()
  server = await startTlsServer(dynamodb.connection.endpoint, await authority.issue({ hosts }))
  tunnel = await startTunnel(server.endpoint)
  container = http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    const Expiration = new Date(Date.now() + 3_600_000).toISOString()
    response.end(
      JSON.stringify({ AccessKeyId: 'AKID', SecretAccessKey: 's', Token: 't', Expiration, AccountId: '444444444444' })
    )
  })
  await new Promise((resolve) => container.listen(0, '127.0.0.1', resolve))
})

after(async () => {
  container.close()
  await tunnel.close()
  await server.close()
  authority.remove()
  rmSync(folder, { recursive: true })
})

/** A file in the format of the AWS config file. */
function configFile(text) {
  const file = path.join(folder, `config-${Math.random()}`)
  writeFileSync(file, text)
  return file
}

/** A command for `credential_process`. */
function processFor(AccountId) {
  const file = path.join(folder, `process-${Math.random()}.js`)
  const keys = { Version: 1, AccessKeyId: 'AKID', SecretAccessKey: 's', AccountId }
  writeFileSync(file, `console.log(${JSON.stringify(JSON.stringify(keys))})`)
  return `${process.execPath} ${file}`
}

/**
 * Sends a request of each kind, and gets the host that the AWS SDK for JavaScript uses with the same options. Prints the
 * errors of the store, if any, and the host of the SDK.
 */
const script = `
  const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb')
  const { account, mode, ...given } = options
  const credentials = account && (async () => ({ ...${JSON.stringify(staticKeys)}, accountId: account }))
  const client = new DynamoDBClient({
    ...given,
    table: undefined,
    credentials: credentials ?? given.credentials,
    accountIdEndpointMode: mode,
    requestHandler: { handle: async ({ hostname }) => { throw Object.assign(new Error(), { hostname }) } },
    maxAttempts: 1
  })
  const store = mode
    ? new DynamoDBStore({ client, table: given.table, connectTimeout: 5000 })
    : new DynamoDBStore({ ...given, connectTimeout: 5000, credentials: credentials ?? given.credentials })
  const codeOf = (promise) => promise.then(() => null, ({ code, message }) => ({ code, message }))
  const hostOf = () => client.send(new GetItemCommand({ TableName: given.table, Key: {} })).catch(({ hostname }) => hostname)
  ;(async () => {
    const data = await codeOf(store.get('a'))
    const control = await codeOf(store.describeTable())
    const scan = await codeOf(store.length())
    console.log(JSON.stringify({ errors: [data, control, scan].filter(Boolean), sdk: await hostOf() ?? null }))
  })()`

/** Returns the errors of the store, the hosts that received its requests, and the host of the AWS SDK for JavaScript. */
async function hostsWith({ options, env }) {
  const [tunnels, requests] = [tunnel.tunnels.length, server.requests.length]
  const { stdout, stderr } = await runScript(script, {
    options: { table: dynamodb.table, region: 'us-east-1', ...options },
    env: {
      HOME: folder,
      AWS_CA_BUNDLE: authority.file,
      HTTPS_PROXY: `http://${tunnel.url}`,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...env
    }
  })
  assert.notEqual(stdout, '', stderr)
  const connected = tunnel.tunnels.slice(tunnels).map(({ host }) => host.replace(/:443$/, ''))
  const sent = server.requests.slice(requests).map(({ host }) => host)
  return { ...JSON.parse(stdout), hosts: [...new Set([...connected, ...sent])], requests: sent.length }
}

const account = { ...keys, AWS_ACCOUNT_ID: '111111111111' }
const regional = 'dynamodb.us-east-1.amazonaws.com'
const hostOf = (id) => `${id}.ddb.us-east-1.amazonaws.com`

/** Cases where the AWS SDK for Rust and the documentation differ from the AWS SDK for JavaScript. */
const differs = [
  'container credentials',
  'an invalid AWS_ACCOUNT_ID_ENDPOINT_MODE',
  'an invalid account_id_endpoint_mode in a profile'
]

describe('all operations use the same host as the AWS SDK with', () => {
  const cases = [
    ['no account ID', { env: keys }, regional],
    ['AWS_ACCOUNT_ID', { env: account }, hostOf('111111111111')],
    ['an empty AWS_ACCOUNT_ID', { env: { ...keys, AWS_ACCOUNT_ID: '' } }, regional],
    ['AWS_ACCOUNT_ID and static credentials', { env: account, options: { credentials: staticKeys } }, regional],
    [
      'static credentials',
      { options: { credentials: { ...staticKeys, accountId: '333333333333' } } },
      hostOf('333333333333')
    ],
    ['a credentials function', { options: { account: '333333333333' } }, hostOf('333333333333')],
    [
      'a profile with aws_account_id',
      {
        env: {
          AWS_CONFIG_FILE: configFile(
            '[default]\naws_access_key_id = AKID\naws_secret_access_key = s\naws_account_id = 555555555555'
          )
        }
      },
      hostOf('555555555555')
    ],
    [
      'a credential process',
      { env: { AWS_CONFIG_FILE: configFile(`[default]\ncredential_process = ${processFor('666666666666')}`) } },
      hostOf('666666666666')
    ],
    [
      'a credential process in a profile with aws_account_id',
      {
        env: {
          AWS_CONFIG_FILE: configFile(
            `[default]\naws_account_id = 555555555555\ncredential_process = ${processFor(undefined)}`
          )
        }
      },
      hostOf('555555555555')
    ],
    [
      'the option profile',
      {
        options: { profile: 'other' },
        env: {
          ...account,
          AWS_CONFIG_FILE: configFile(
            '[profile other]\naws_access_key_id = AKID\naws_secret_access_key = s\naws_account_id = 777777777777'
          )
        }
      },
      hostOf('777777777777')
    ],
    [
      'container credentials',
      { env: () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${container.address().port}/` }) },
      hostOf('444444444444')
    ],
    ['a table ARN', { env: account, options: { table: arn() } }, hostOf('222222222222')],
    ['a table ARN of another Region', { env: keys, options: { table: arn('eu-west-1') } }, regional],
    [
      'a table ARN and credentials without an account ID',
      { env: keys, options: { table: arn() } },
      hostOf('222222222222')
    ],
    [
      'AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled',
      { env: { ...account, AWS_ACCOUNT_ID_ENDPOINT_MODE: 'disabled' } },
      regional
    ],
    [
      'AWS_ACCOUNT_ID_ENDPOINT_MODE=required',
      { env: { ...account, AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required' } },
      hostOf('111111111111')
    ],
    [
      'account_id_endpoint_mode in a profile',
      { env: { ...account, AWS_CONFIG_FILE: configFile('[default]\naccount_id_endpoint_mode = disabled') } },
      regional
    ],
    [
      'accountIdEndpointMode disabled in a client',
      { options: { account: '333333333333', mode: 'disabled' } },
      regional
    ],
    [
      'accountIdEndpointMode required in a client',
      { options: { account: '333333333333', mode: 'required' } },
      hostOf('333333333333')
    ],
    ['FIPS', { env: { ...account, AWS_USE_FIPS_ENDPOINT: 'true' } }, 'dynamodb-fips.us-east-1.amazonaws.com'],
    ['dual stack', { env: { ...account, AWS_USE_DUALSTACK_ENDPOINT: 'true' } }, '111111111111.ddb.us-east-1.api.aws'],
    [
      'AWS_ENDPOINT_URL',
      { env: { ...account, AWS_ENDPOINT_URL: 'https://vpce.us-east-1.amazonaws.com' } },
      'vpce.us-east-1.amazonaws.com'
    ]
  ]
  for (const [name, { options, env }, host] of cases) {
    test(name, async () => {
      const result = await hostsWith({ options, env: typeof env === 'function' ? env() : env })
      const isOtherTable = options?.table !== undefined
      assert.deepEqual(isOtherTable ? [] : result.errors, [])
      assert.deepEqual(result.hosts, [host])
      assert.ok(result.requests >= 3, `${result.requests} requests`)
      if (!differs.includes(name)) assert.equal(result.sdk, host)
    })
  }
})

describe('settings that the AWS SDK rejects make all operations fail with a ConfigError', () => {
  const cases = [
    [
      'AWS_ACCOUNT_ID_ENDPOINT_MODE=required without an account ID',
      { ...keys, AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required' },
      /account ID/
    ],
    [
      'an invalid AWS_ACCOUNT_ID_ENDPOINT_MODE',
      { ...keys, AWS_ACCOUNT_ID_ENDPOINT_MODE: 'perhaps' },
      /AWS_ACCOUNT_ID_ENDPOINT_MODE/
    ],
    [
      'an invalid account_id_endpoint_mode in a profile',
      { ...keys, AWS_CONFIG_FILE: configFile('[default]\naccount_id_endpoint_mode = perhaps') },
      /account_id_endpoint_mode/
    ],
    [
      'FIPS with a custom endpoint',
      { ...keys, AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: 'https://host' },
      /AWS_USE_FIPS_ENDPOINT and .*AWS_ENDPOINT_URL/
    ],
    [
      'AWS_ACCOUNT_ID_ENDPOINT_MODE=required with FIPS',
      { ...account, AWS_USE_FIPS_ENDPOINT: 'true', AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required' },
      /AWS_ACCOUNT_ID_ENDPOINT_MODE and AWS_USE_FIPS_ENDPOINT/
    ],
    ['an invalid account ID', { ...keys, AWS_ACCOUNT_ID: '1/2' }, /AWS_ACCOUNT_ID/]
  ]
  for (const [name, env, message] of cases) {
    test(name, async () => {
      const { errors, sdk, hosts } = await hostsWith({ env })
      if (!differs.includes(name)) assert.equal(sdk, null)
      assert.deepEqual(hosts, [])
      assert.equal(errors.length, 3)
      for (const error of errors) {
        assert.equal(error.code, 'ConfigError')
        assert.match(error.message, message)
      }
    })
  }
})
