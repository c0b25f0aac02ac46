'use strict'

const path = require('node:path')

/** Says what was looked for, what came of it, and what to do. */
function loadError({ version, named, fitting, others, failures }) {
  const { platform, arch } = process
  const platformName = `${platform} ${arch}${platform === 'linux' ? `, ${libcOf()}` : ''}`
  const lines = failures.map(({ place, error }) => `  - ${kindOf(place)} ${place}: ${reasonOf(error)}`)
  const strangers = others.map((build) => `@dynamodb-session/addon-${build}`).filter(isInstalled)
  const message = [
    `dynamodb-session ${version} found no addon that Node.js ${process.versions.node} can load on ${platformName}.`,
    lines.length ? 'It looked for:' : 'There is none for this platform.',
    ...lines,
    ...(strangers.length && !named ? [`Installed, but for another platform: ${strangers.join(', ')}`] : []),
    adviceOn({ version, named, fitting, failures })
  ].join('\n')
  const cause = (failures.find(({ error }) => !isAbsence(error)) ?? failures[0])?.error
  return Object.assign(new Error(message, { cause }), { code: cause?.code ?? 'ERR_UNSUPPORTED_PLATFORM' })
}

const kindOf = (place) => (place.endsWith('.node') ? 'the file' : 'the package')
const isAbsence = ({ code }) => code === 'MODULE_NOT_FOUND'
const reasonOf = (error) => (isAbsence(error) ? 'not there' : error.message.split('\n')[0])

function isInstalled(name) {
  try {
    return Boolean(require.resolve(`${name}/package.json`))
  } catch {
    return false
  }
}

/** In a bundle this code stands in another file. */
const isBundled = () => typeof __filename === 'undefined' || path.basename(__filename) !== 'load-errors.js'

function libcOf() {
  try {
    process.report.excludeNetwork = true
    const { glibcVersionRuntime } = process.report.getReport().header
    return glibcVersionRuntime ? `glibc ${glibcVersionRuntime}` : 'musl'
  } catch {
    return 'its C library unknown'
  }
}

/** The first of these that fits; the later ones are the more general. */
function adviceOn({ version, named, fitting, failures }) {
  const answers = failures.map(({ error }) => `${error.code} ${error.message}`).join('\n')
  if (answers.includes('ERR_DLOPEN_DISABLED')) return 'Node.js runs with --permission: add --allow-addons.'
  if (named) {
    return 'NAPI_RS_NATIVE_LIBRARY_PATH names the one file to load: give the full path of an addon, or leave it out.'
  }
  if (!fitting.length) return 'docs/deployment.md lists the platforms that it is built for.'
  if (/GLIBC_[\d.]+. not found/.test(answers)) {
    return (
      'The C library of this system is older than the addon needs: glibc 2.17 for those of npm, and that of its own ' +
      'system for one that was built by hand. Use a newer system, or build the addon on this one.'
    )
  }
  if (isBundled()) {
    return (
      'It looked from inside of a bundle, where the addon is not. Keep dynamodb-session out of the bundle (an external) and ' +
      'install it beside: docs/deployment.md has the setting of each bundler.'
    )
  }
  const install = `npm install --include=optional dynamodb-session@${version}`
  if (answers.includes('it is of version')) return `Addon and package must be of one version. Install again: ${install}`
  if (/ld-linux|libc\.so\.6|ld-musl|libc\.musl/.test(answers)) {
    return (
      'The installed addon is for the other C library: node_modules comes from another Linux (Alpine has musl, most others ' +
      `glibc). Delete node_modules, and on this one: ${install}`
    )
  }
  if (!failures.every(({ error }) => isAbsence(error))) {
    return `What is installed is damaged, or of another platform. Delete node_modules, then: ${install}`
  }
  return (
    'The package manager did not install the addon: node_modules or the lockfile were made on another platform, or optional ' +
    `dependencies were left out. Delete node_modules and the lockfile, then: ${install}\n` +
    `Or add the missing one by hand: npm install --save-optional ${installable(fitting)}@${version}\n` +
    'In a checkout of the source: npm run build'
  )
}

/** Of two builds for Linux, that for its C library. */
function installable(fitting) {
  const musl = process.platform === 'linux' && libcOf() === 'musl'
  return `@dynamodb-session/addon-${fitting.find((build) => build.endsWith('musl') === musl) ?? fitting[0]}`
}

module.exports = { loadError }
