'use strict'

const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const REGION = 'us-east-1'
const KEYS = { accessKeyId: 'AKIDBENCHMARK', secretAccessKey: 'a secret of the benchmark' }
const KEPT = ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'CARGO_TARGET_DIR']

/** The environment variables of a child process: only those that it needs, and a home folder without AWS files. */
class Environment {
  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-benchmark-'))
    this.home = this.#newHome('home')
    this.homeWithCredentials = this.#newHome('home-with-credentials')
    mkdirSync(path.join(this.homeWithCredentials, '.aws'))
    writeFileSync(
      path.join(this.homeWithCredentials, '.aws', 'credentials'),
      `[default]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\n`
    )
  }

  #newHome(name) {
    const home = path.join(this.folder, name)
    mkdirSync(home)
    return home
  }

  /** Creates a temporary folder of this run. */
  newFolder(prefix) {
    return mkdtempSync(path.join(this.folder, prefix))
  }

  /** A path for a temporary file of this run. */
  file(name) {
    return path.join(this.folder, name)
  }

  /**
   * `credentials`: 'environment', or 'file' for those of the default profile. `authority` names a CA file that the addon
   * trusts. `extraAuthority` names one that Node.js trusts too, which makes it start more slowly.
   */
  variables({ credentials = 'environment', authority, extraAuthority } = {}) {
    const isFile = credentials === 'file'
    const home = isFile ? this.homeWithCredentials : this.home
    return {
      ...Object.fromEntries(KEPT.filter((name) => name in process.env).map((name) => [name, process.env[name]])),
      HOME: home,
      USERPROFILE: home,
      AWS_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
      // Turns on keep-alive in the AWS SDK v2, and turns off the warnings of both SDKs.
      AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
      ...(authority && { AWS_CA_BUNDLE: authority }),
      ...(extraAuthority && { NODE_EXTRA_CA_CERTS: extraAuthority }),
      ...(isFile
        ? { AWS_PROFILE: 'default' }
        : { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey })
    }
  }

  remove() {
    rmSync(this.folder, { recursive: true })
  }
}

const connection = { region: REGION, credentials: KEYS }

module.exports = { Environment, connection }
