'use strict'

const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { mkdirSync, readFileSync } = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb')
const { DynamoDBStore } = require('../..')
const { useDynamoDB } = require('../support/dynamodb')
const { withEnvironment } = require('../support/child')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('the AWS config and credentials files', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  /** Key ID and Region of each request. */
  const signers = () =>
    proxy.requests.map(({ headers }) => {
      const [, id, region] = headers.authorization.match(/Credential=([^/]+)\/\d+\/([^/]+)/)
      return `${id} in ${region}`
    })

  /** A home folder with these files in `.aws`. */
  function home(t, files) {
    const folder = temporaryDirectory(t)
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(folder, '.aws', name)
      mkdirSync(path.dirname(file), { recursive: true })
      write(file, content)
    }
    return folder
  }

  const environment = (folder, changes) => ({ HOME: folder, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, ...changes })

  const read = (env, options) =>
    withEnvironment(env, async () => {
      const store = new DynamoDBStore({ table: dynamodb.table, maxAttempts: 1, ...options })
      await store.get(newSid())
      await store.close()
    })

  const failureOf = (env, options) =>
    read(env, options).then(
      () => assert.fail('the operation succeeded'),
      (error) => error
    )

  /** Asserts that the store and the AWS SDK for JavaScript sign with the same key for the same Region. */
  async function assertLikeSdk(env, expected) {
    await read(env)
    await withEnvironment(env, async () => {
      const client = new DynamoDBClient({ maxAttempts: 1 })
      await client.send(new GetItemCommand({ TableName: dynamodb.table, Key: { id: { S: 'a' } } }))
      client.destroy()
    })
    assert.deepEqual(signers(), [expected, expected])
  }

  const valid = '[default]\naws_access_key_id = FILE\naws_secret_access_key = x\nregion = eu-north-1\n'
  const variants = {
    'a byte order mark': `\ufeff${valid}`,
    'Windows line endings': valid.replaceAll('\n', '\r\n'),
    'indented properties': valid.replaceAll(/^(?=[a-z])/gm, '  '),
    'a line without =': valid.replace('region', 'nonsense\nregion'),
    'a line without = in another profile': `[profile other]\nnonsense\n${valid}`,
    'a property before the first section': `output = json\n${valid}`,
    'a section without a closing bracket': `${valid}[broken\n`,
    comments: `# one\n; two\n${valid.replace('eu-north-1', 'eu-north-1 # three')}`,
    'nested properties': `${valid}s3 =\n  region = eu-west-3\n  max_concurrent_requests = 20\n`,
    'a property without a name': `${valid}= x\n`,
    'a quoted profile': `[profile "other"]\nregion = x\n${valid}`,
    '[profile default]': `[default]\nregion = us-west-1\n${valid.replace('[default]', '[profile default]')}`
  }
  for (const [name, text] of Object.entries(variants)) {
    test(`may contain ${name}`, async (t) => {
      await assertLikeSdk(environment(home(t, { config: text })), 'FILE in eu-north-1')
    })
  }

  test('can split a profile: keys in one file, the Region in the other', async (t) => {
    const files = {
      config: '\ufeff[profile dev]\n  region = eu-west-2\n',
      credentials: '[dev]\naws_access_key_id = SHARED\r\naws_secret_access_key = x\r\n'
    }
    await assertLikeSdk(environment(home(t, files), { AWS_PROFILE: 'dev' }), 'SHARED in eu-west-2')
  })

  test('are found in os.homedir() if HOME is not set', async (t) => {
    const folder = home(t, { config: valid })
    t.mock.method(os, 'homedir', () => folder)
    for (const HOME of [undefined, '', ' \r']) await read(environment(HOME))
    assert.deepEqual(new Set(signers()), new Set(['FILE in eu-north-1']))
  })

  test('are found at AWS_CONFIG_FILE, relative to the home folder', async (t) => {
    const folder = home(t, { mine: valid })
    await assertLikeSdk(environment(folder, { AWS_CONFIG_FILE: '~/.aws/mine' }), 'FILE in eu-north-1')
  })

  test('may set the endpoint in a services section', async (t) => {
    const services = `services = local\n[services local]\ndynamodb =\n  endpoint_url = ${proxy.endpoint}\n`
    const env = environment(home(t, { config: valid + services }), { AWS_ENDPOINT_URL_DYNAMODB: '' })
    await assertLikeSdk(env, 'FILE in eu-north-1')
  })

  test('that are invalid are named in the error, with the line', async (t) => {
    const folder = home(t, { config: '\n[default\nregion = eu-north-1\n' })
    const { code, message } = await failureOf(environment(folder))
    assert.equal(code, 'ConfigError')
    assert.match(message, /no Region/)
    assert.ok(message.includes(`${folder}/.aws/config, line 2,`), message)
  })

  test('that cannot be read are named in the error', async (t) => {
    const folder = home(t, { 'config/nothing': '' })
    const { code, message } = await failureOf(environment(folder))
    assert.equal(code, 'ConfigError')
    assert.ok(message.includes(`${folder}/.aws/config cannot be read`), message)
  })

  for (const [property, value, expected] of [
    ['max_attempts', 'abc', 'whole number'],
    ['max_attempts', '0', 'whole number'],
    ['retry_mode', 'often', 'standard'],
    ['use_fips_endpoint', 'yes', 'true or false'],
    ['use_dualstack_endpoint', '1', 'true or false'],
    ['account_id_endpoint_mode', 'never', 'preferred'],
    ['endpoint_url', 'localhost', 'URL'],
    ['region', 'eu north', 'Region']
  ]) {
    test(`with ${property} = ${value} cause a ConfigError`, async (t) => {
      const folder = home(t, { config: `${valid}${property} = ${value}\n` })
      const env = environment(folder, { AWS_ENDPOINT_URL_DYNAMODB: '' })
      const { code, message } = await failureOf(env, { maxAttempts: undefined })
      assert.equal(code, 'ConfigError')
      for (const part of [property, expected, 'profile "default"', folder]) assert.ok(message.includes(part), message)
    })
  }

  for (const mode of ['legacy', 'standard', 'adaptive']) {
    test(`may set retry_mode = ${mode}`, async (t) => {
      const folder = home(t, { config: `${valid}retry_mode = ${mode}\nmax_attempts =\n` })
      await read(environment(folder), { maxAttempts: undefined })
      assert.deepEqual(signers(), ['FILE in eu-north-1'])
    })
  }

  test('without the profile in AWS_PROFILE are named in the error', async (t) => {
    const folder = home(t, { config: valid })
    for (const AWS_REGION of ['', 'us-east-1']) {
      const { code, message } = await failureOf(environment(folder, { AWS_PROFILE: 'prod', AWS_REGION }))
      assert.equal(code, AWS_REGION ? 'CredentialsError' : 'ConfigError')
      for (const part of ['"prod" does not exist', `${folder}/.aws/config`, `${folder}/.aws/credentials`]) {
        assert.ok(message.includes(part), message)
      }
    }
  })

  test('without the profile in option profile are named in the error', async (t) => {
    const folder = home(t, { config: valid })
    const { code, message } = await failureOf(environment(folder), { profile: 'prod', region: 'us-east-1' })
    assert.equal(code, 'CredentialsError')
    for (const part of ['"prod" does not exist', folder, 'aws configure --profile prod']) {
      assert.ok(message.includes(part), message)
    }
  })

  test('are read again after a failure', async (t) => {
    const folder = home(t, { config: '[default]\nregion = eu-north-1\n' })
    await withEnvironment(environment(folder), async () => {
      const store = new DynamoDBStore({ table: dynamodb.table })
      await assert.rejects(store.get(newSid()), { code: 'CredentialsError' })
      write(path.join(folder, '.aws', 'config'), valid)
      await store.get(newSid())
    })
    assert.deepEqual(signers(), ['FILE in eu-north-1'])
  })

  describe('with a credential_process', () => {
    const inAnHour = new Date(Date.now() + 3_600_000)
    const iso = inAnHour.toISOString()
    const print = (t, output, more = '') => {
      const command = `echo '${JSON.stringify({ Version: 1, AccessKeyId: 'PROCESS', SecretAccessKey: 'SECRET', ...output })}'`
      return environment(
        home(t, { config: `[default]\nregion = eu-north-1\ncredential_process = ${command}\n${more}` })
      )
    }

    const expirations = {
      'Z and milliseconds': iso,
      'a numeric offset': iso.replace('Z', '+00:00'),
      'a numeric offset without a colon': iso.replace('Z', '+0000'),
      'no seconds': `${iso.slice(0, 16)}Z`,
      microseconds: iso.replace('Z', '000Z'),
      'a space': iso.replace('T', ' '),
      'the HTTP date format': inAnHour.toUTCString(),
      'the format of Date.toString()': String(inAnHour),
      'no time zone': iso.slice(0, 19),
      milliseconds: inAnHour.getTime(),
      'an empty string': ''
    }
    for (const [name, Expiration] of Object.entries(expirations)) {
      test(`may print an Expiration with ${name}`, async (t) => {
        await assertLikeSdk(print(t, { Expiration }), 'PROCESS in eu-north-1')
      })
    }

    const past = new Date(Date.now() - 60_000)
    for (const Expiration of [past.toISOString().replace('Z', '+00:00'), past.toUTCString(), past.getTime()]) {
      test(`must not print an Expiration in the past (${Expiration})`, async (t) => {
        const error = await failureOf(print(t, { Expiration }))
        assert.equal(error.code, 'CredentialsError')
        assert.match(error.message, /profile "default".*expired/)
        assert.doesNotMatch(error.message, /SECRET/)
      })
    }

    test('is run again when its credentials expire', async (t) => {
      const env = print(t, { Expiration: new Date(Date.now() + 1000).toUTCString() })
      await withEnvironment(env, async () => {
        const store = new DynamoDBStore({ table: dynamodb.table })
        await store.get(newSid())
        await new Promise((resolve) => setTimeout(resolve, 1500))
        await assert.rejects(store.get(newSid()), /expired/)
      })
    })

    test('gets the variables of process.env', async (t) => {
      const command = `printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"x"}' "$AWS_PROFILE"`
      const folder = home(t, { config: `[profile seen]\nregion = eu-north-1\ncredential_process = ${command}\n` })
      await read(environment(folder, { AWS_PROFILE: 'seen' }))
      assert.deepEqual(signers(), ['seen in eu-north-1'])
    })

    for (const [name, command, expected] of [
      ['fails', 'echo "log in first" >&2; exit 3', /failed with exit status: 3/],
      ['does not print JSON', 'echo SECRET', /did not print a JSON object/],
      ['prints another version', `echo '{"Version":2}'`, /did not print "Version": 1/],
      ['prints no secret key', `echo '{"Version":1,"AccessKeyId":"SECRET"}'`, /did not print SecretAccessKey/]
    ]) {
      test(`that ${name} is named in the error`, async (t) => {
        const config = `[default]\nregion = eu-north-1\ncredential_process = ${command}\n`
        const error = await failureOf(environment(home(t, { config })))
        assert.equal(error.code, 'CredentialsError')
        assert.match(error.message, expected)
        assert.doesNotMatch(`${error.message} ${error.cause?.message}`, /SECRET/)
      })
    }
  })

  describe('with AWS services', () => {
    /** Fakes of the SSO portal and STS. The credentials that they return name the token or key of the request. */
    let server
    let endpoint
    before(async () => {
      server = http.createServer((request, response) => {
        if (request.url.startsWith('/federation/credentials')) {
          const accessKeyId = request.headers['x-amz-sso_bearer_token'].toUpperCase()
          const roleCredentials = {
            accessKeyId,
            secretAccessKey: 'x',
            sessionToken: 'x',
            expiration: Date.now() + 3.6e6
          }
          return response.end(JSON.stringify({ roleCredentials }))
        }
        const signer = /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1]
        const text = [[]]
        request
          .on('data', (chunk) => text[0].push(chunk))
          .on('end', () => {
            const form = new URLSearchParams(Buffer.concat(text[0]).toString())
            const action = form.get('Action')
            const id = `${(signer ?? form.get('WebIdentityToken')).toUpperCase()}-${form.get('RoleArn').split('/')[1]}`
            response.setHeader('content-type', 'text/xml')
            response.end(`<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
            <AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>
            <Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken>
            <Expiration>${new Date(Date.now() + 3.6e6).toISOString()}</Expiration></Credentials></${action}Result></${action}Response>`)
          })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      endpoint = `http://127.0.0.1:${server.address().port}`
    })
    after(() => server.close())

    const withServices = (folder, changes) =>
      environment(folder, {
        AWS_ENDPOINT_URL_SSO: endpoint,
        AWS_ENDPOINT_URL_SSO_OIDC: endpoint,
        AWS_ENDPOINT_URL_STS: endpoint,
        ...changes
      })
    const cacheFile = (id) => `sso/cache/${createHash('sha1').update(id).digest('hex')}.json`
    const url = 'https://example.awsapps.com/start'
    const sso = `sso_account_id = 123456789012\nsso_role_name = r\nregion = eu-north-1\n`
    const legacy = `[default]\n${sso}sso_region = eu-north-1\nsso_start_url = ${url}\n`
    const session = `[default]\n${sso}sso_session = s\n[sso-session s]\nsso_region = eu-north-1\nsso_start_url = ${url}\n`

    const inAnHour = new Date(Date.now() + 3_600_000)
    const iso = inAnHour.toISOString()
    for (const expiresAt of [iso, iso.replace('Z', '+00:00'), `${iso.slice(0, 19)}+0000`, inAnHour.toUTCString()]) {
      for (const [name, config, id] of [
        ['a start URL', legacy, url],
        ['a session', session, 's']
      ]) {
        test(`a cached SSO token of ${name} may expire at ${expiresAt}`, async (t) => {
          const token = JSON.stringify({ accessToken: 'token', expiresAt, region: 'eu-north-1', startUrl: url })
          const folder = home(t, { config, [cacheFile(id)]: token })
          await assertLikeSdk(withServices(folder), 'TOKEN in eu-north-1')
          assert.equal(readFileSync(path.join(folder, '.aws', cacheFile(id)), 'utf8'), token)
        })
      }
    }

    test('a cached SSO token of an older AWS CLI may have an expiry with the suffix UTC', async (t) => {
      const token = JSON.stringify({ accessToken: 'token', expiresAt: `${iso.slice(0, 19)}UTC` })
      const folder = home(t, { config: legacy, [cacheFile(url)]: token })
      await assertLikeSdk(withServices(folder), 'TOKEN in eu-north-1')
    })

    test('the error about an expired SSO token says how to renew it', async (t) => {
      const token = JSON.stringify({ accessToken: 'token', expiresAt: '2020-01-01T00:00:00+01:00' })
      const { code, message } = await failureOf(withServices(home(t, { config: legacy, [cacheFile(url)]: token })))
      assert.equal(code, 'CredentialsError')
      assert.match(message, /aws sso login --profile default/)
    })

    const keys = (id) => `aws_access_key_id = ${id}\naws_secret_access_key = x\n`
    const role = (name, more) => `role_arn = arn:aws:iam::123456789012:role/${name}\n${more}\n`
    const process = `credential_process = echo '{"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"x"}'\n`
    const roles = {
      'of another profile': `[default]\nregion = eu-north-1\n${role('r', 'source_profile = b')}[profile b]\n${keys('B')}`,
      'of the same profile': `[default]\nregion = eu-north-1\n${role('r', 'source_profile = default')}${keys('B')}`,
      'of a credential process': `[default]\nregion = eu-north-1\n${role('r', 'source_profile = b')}[profile b]\n${process}`,
      'of the environment': `[default]\nregion = eu-north-1\n${role('r', 'credential_source = Environment')}`
    }
    for (const [name, config] of Object.entries(roles)) {
      test(`a role is assumed with the credentials ${name}`, async (t) => {
        const env = withServices(home(t, { config }), { AWS_PROFILE: 'default' })
        if (name === 'of the environment') {
          const variables = { ...env, AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 'x' }
          await read(variables, { profile: 'default' })
          assert.deepEqual(signers(), ['ENV-r in eu-north-1'])
        } else {
          await assertLikeSdk(env, `${name === 'of a credential process' ? 'PROCESS' : 'B'}-r in eu-north-1`)
        }
      })
    }

    test('a chain of roles is assumed', async (t) => {
      const config =
        `[default]\nregion = eu-north-1\n${role('one', 'source_profile = b')}` +
        `[profile b]\n${role('two', 'source_profile = c')}[profile c]\n${process}`
      await assertLikeSdk(withServices(home(t, { config })), 'PROCESS-TWO-one in eu-north-1')
    })

    test('keys take precedence over other credentials of a profile, as in the AWS SDK', async (t) => {
      const config = `[default]\nregion = eu-north-1\n${keys('KEYS')}${process}`
      await assertLikeSdk(withServices(home(t, { config })), 'KEYS in eu-north-1')
    })

    test('a web identity token from the environment is used', async (t) => {
      const folder = home(t, { token: 'web\n' })
      const env = withServices(folder, {
        AWS_REGION: 'eu-north-1',
        AWS_WEB_IDENTITY_TOKEN_FILE: path.join(folder, '.aws/token'),
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/w'
      })
      await read(env)
      assert.deepEqual(signers(), ['WEB-w in eu-north-1'])
      const missing = await failureOf({ ...env, AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent/token' })
      assert.match(missing.message, /the file in AWS_WEB_IDENTITY_TOKEN_FILE does not exist: \/nonexistent\/token/)
    })

    test('a source_profile that does not exist is named in the error', async (t) => {
      const config = `[default]\nregion = eu-north-1\n${role('r', 'source_profile = lost')}`
      const { code, message } = await failureOf(withServices(home(t, { config })))
      assert.equal(code, 'CredentialsError')
      assert.match(message, /"default" names "lost" as its source_profile, which does not exist in /)
    })
  })
})
