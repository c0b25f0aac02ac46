'use strict'

// Installs the package from a registry with each package manager on each version of Node.js, and runs an app with it.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const { name, napi } = require('../../../package.json')
const { extraPackages, manifestOf } = require('../extra-packages')
const { installPrograms, programPath } = require('../programs')

const run = promisify(execFile)
const tsc = require.resolve('typescript/bin/tsc')

const versions = ['20', '22', '24']

/** For each package manager: its program, how it installs and runs a command, and what Node.js needs to find packages. */
const managers = {
  npm: { program: (node) => (node === '24' ? 'npm11' : 'npm10'), command: ['exec', '--no', '--'] },
  'pnpm 10': { program: () => 'pnpm', command: ['exec'] },
  'pnpm 12': { program: () => 'pnpm12', native: true, command: ['exec'] },
  'Yarn 4, node-modules': { program: () => 'yarn', linker: 'node-modules', command: ['run'] },
  'Yarn 4, pnp': {
    program: () => 'yarn',
    linker: 'pnp',
    command: ['run'],
    node: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs']
  },
  'Yarn 1': { program: () => 'yarn1', command: ['run', '--silent'] }
}

const extras = extraPackages().map(manifestOf)
const dependencies = Object.assign(
  { express: '5', 'express-session': '1', '@types/express-session': '1', '@types/node': '24' },
  ...extras.map((extra) => ({ ...extra.peerDependencies, [extra.name]: extra.version }))
)

/** What must work in each project. */
const checks = {
  install: ({ manager }) => manager(['install']),
  Express: ({ node }) => node('app.cjs'),
  'ES module': ({ node }) => node('app.mjs'),
  async npx({ command, manager }) {
    const { stdout } = await manager([...command, name, '--help'])
    if (!stdout.includes('doctor')) throw new Error(`unexpected output: ${stdout}`)
  },
  'packages/*': ({ node }) =>
    extras.length ? node('--eval', extras.map((extra) => `require('${extra.name}')`).join('\n')) : 'n/a',
  // Only a TypeScript that Yarn patches can find packages without node_modules.
  types: ({ cwd, linker }) =>
    linker === 'pnp'
      ? 'n/a'
      : run(process.execPath, [tsc, '--noEmit', '--strict', '--module', 'nodenext', 'typed.mts'], { cwd })
}

/** Returns a row of results for each combination, and the errors. */
async function tryInstalls({ directory, registry, dynamodb, version }) {
  const programs = versions.flatMap((node) => Object.values(managers).map(({ program }) => program(node)))
  await installPrograms([...new Set([...versions.map((node) => `node${node}`), ...programs])])
  const rows = []
  const errors = []
  for (const node of versions) {
    for (const title of Object.keys(managers)) {
      const project = createProject({ directory, registry, dynamodb, version, node, title })
      const row = { 'Node.js': node, 'package manager': title }
      for (const [check, work] of Object.entries(checks)) {
        try {
          const result = await work(project)
          row[check] = result === 'n/a' ? result : 'ok'
        } catch (error) {
          row[check] = 'FAILED'
          errors.push(`${title} on Node.js ${node}, ${check}: ${error.message}\n${error.stdout ?? ''}`)
          if (check === 'install') break
        }
      }
      console.log(Object.values(row).join('  '))
      rows.push(row)
    }
  }
  return { rows, errors }
}

/** A project in an environment whose PATH has only Node.js, and what the scripts of package managers call. */
function createProject({ directory, registry, dynamodb, version, node, title }) {
  const { program, native, linker, command, node: nodeArgs = [] } = managers[title]
  const place = path.join(directory, `${title.replace(/\W+/g, '-')}-${node}`)
  const cwd = path.join(place, 'project')
  const bin = path.join(place, 'bin')
  fs.mkdirSync(bin, { recursive: true })
  fs.symlinkSync(programPath(`node${node}`), path.join(bin, 'node'))
  for (const tool of ['sh', 'sed', 'dirname', 'uname']) {
    const found = ['/bin', '/usr/bin'].map((folder) => path.join(folder, tool)).find((file) => fs.existsSync(file))
    fs.symlinkSync(found, path.join(bin, tool))
  }
  fs.cpSync(path.join(__dirname, 'app'), cwd, { recursive: true })
  const manifest = { private: true, dependencies: { ...dependencies, [name]: version } }
  fs.writeFileSync(path.join(cwd, 'package.json'), JSON.stringify(manifest))
  fs.writeFileSync(path.join(cwd, '.npmrc'), `registry=${registry.url}\naudit=false\nfund=false\n`)
  if (linker) {
    fs.writeFileSync(path.join(cwd, 'yarn.lock'), '')
    fs.writeFileSync(path.join(cwd, '.yarnrc.yml'), yarnSettings(registry.url, linker))
  }
  const env = {
    PATH: bin,
    HOME: path.join(place, 'home'),
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local'
  }
  const settings = { cwd, env, timeout: 300_000, maxBuffer: 2 ** 26 }
  const start = (args) => run(programPath(`node${node}`), args, settings)
  const managerPath = programPath(program(node))
  return {
    cwd,
    linker,
    command,
    node: (...args) => start([...nodeArgs, ...args]),
    manager: (args) => (native ? run(managerPath, args, settings) : start([managerPath, ...args]))
  }
}

function yarnSettings(registry, linker) {
  const settings = {
    nodeLinker: linker,
    pnpEnableEsmLoader: true,
    npmRegistryServer: registry,
    unsafeHttpWhitelist: ['127.0.0.1'],
    // By default, Yarn does not install what was published less than a day ago.
    npmPreapprovedPackages: [name, `${path.dirname(napi.packageName)}/*`, ...extras.map((extra) => extra.name)],
    enableTelemetry: false,
    enableImmutableInstalls: false
  }
  return JSON.stringify(settings)
}

module.exports = { tryInstalls }
