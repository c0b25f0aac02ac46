'use strict'

const path = require('node:path')

/** The error of an addon that cannot be loaded. It says what the loader tried, what happened, and what to do. */
function loadError({ version, named, fitting, others, failures }) {
  const { platform, arch } = process
  const platformName = `${platform} ${arch}${platform === 'linux' ? `, ${libcOf()}` : ''}`
  const lines = failures.map(({ place, error }) => `  - ${kindOf(place)} ${place}: ${reasonOf(error)}`)
  const installedOthers = others.map((build) => `@dynamodb-session/addon-${build}`).filter(isInstalled)
  const message = [
    `dynamodb-session ${version} cannot load its native addon (Node.js ${process.versions.node}, ${platformName}).`,
    lines.length ? 'It tried:' : 'There is no addon for this platform.',
    ...lines,
    ...(installedOthers.length && !named ? [`Installed for a different platform: ${installedOthers.join(', ')}`] : []),
    hintFor({ version, named, fitting, failures })
  ].join('\n')
  const cause = (failures.find(({ error }) => !isNotFound(error)) ?? failures[0])?.error
  return Object.assign(new Error(message, { cause }), { code: cause?.code ?? 'ERR_UNSUPPORTED_PLATFORM' })
}

const kindOf = (place) => (place.endsWith('.node') ? 'the file' : 'the package')
const isNotFound = ({ code }) => code === 'MODULE_NOT_FOUND'
const reasonOf = (error) => (isNotFound(error) ? 'not found' : error.message.split('\n')[0])

function isInstalled(name) {
  try {
    return Boolean(require.resolve(`${name}/package.json`))
  } catch {
    return false
  }
}

/** Whether this code runs from a bundle: its file then has a different name. */
const isBundled = () => typeof __filename === 'undefined' || path.basename(__filename) !== 'load-errors.js'

function libcOf() {
  try {
    process.report.excludeNetwork = true
    const { glibcVersionRuntime } = process.report.getReport().header
    return glibcVersionRuntime ? `glibc ${glibcVersionRuntime}` : 'musl'
  } catch {
    return 'unknown C library'
  }
}

/** The first hint that applies, from specific to general. */
function hintFor({ version, named, fitting, failures }) {
  const reasons = failures.map(({ error }) => `${error.code} ${error.message}`).join('\n')
  if (reasons.includes('ERR_DLOPEN_DISABLED')) return 'Node.js runs with --permission: add --allow-addons.'
  if (named) {
    return 'If NAPI_RS_NATIVE_LIBRARY_PATH is set, no other addon is tried: set it to the full path of an addon, or unset it.'
  }
  if (!fitting.length) return 'For the supported platforms, see docs/deployment.md in the repository.'
  if (/GLIBC_[\d.]+. not found/.test(reasons)) {
    return (
      'The C library of this system is older than the addon needs: glibc 2.17 for an addon from npm, or the version of ' +
      'the build machine for one that you built yourself. Use a newer system, or build the addon on this one.'
    )
  }
  if (isBundled()) {
    return (
      'The package runs from a bundle that does not contain the addon. Keep dynamodb-session out of the bundle (mark it ' +
      'as external) and install it next to the bundle. For the settings of each bundler, see docs/deployment.md in the ' +
      'repository.'
    )
  }
  const install = `npm install --include=optional dynamodb-session@${version}`
  if (reasons.includes('it has version'))
    return `The package and its addon must have the same version. Reinstall: ${install}`
  if (/ld-linux|libc\.so\.6|ld-musl|libc\.musl/.test(reasons)) {
    return (
      'The installed addon is for a different C library: node_modules comes from a different Linux distribution (Alpine ' +
      `uses musl, most others use glibc). Delete node_modules, and run on this system: ${install}`
    )
  }
  if (!failures.every(({ error }) => isNotFound(error))) {
    return `The installed addon is damaged, or for a different platform. Delete node_modules, then run: ${install}`
  }
  return (
    'The package manager did not install the addon: node_modules or the lockfile comes from a different platform, or ' +
    `optional dependencies were not installed. Delete node_modules and the lockfile, then run: ${install}\n` +
    `Or install only the addon: npm install --save-optional ${packageFor(fitting)}@${version}\n` +
    'In a clone of the repository, run: npm run build'
  )
}

/** The package to install. Linux has two builds, one for each C library. */
function packageFor(fitting) {
  const musl = process.platform === 'linux' && libcOf() === 'musl'
  return `@dynamodb-session/addon-${fitting.find((build) => build.endsWith('musl') === musl) ?? fitting[0]}`
}

module.exports = { loadError }
