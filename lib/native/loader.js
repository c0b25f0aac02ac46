'use strict'

/** The builds to try on each platform. On Linux, only one of two loads, depending on the system's C library. */
const builds = {
  'darwin-arm64': ['darwin-arm64'],
  'darwin-x64': ['darwin-x64'],
  'linux-arm64': ['linux-arm64-gnu', 'linux-arm64-musl'],
  'linux-x64': ['linux-x64-gnu', 'linux-x64-musl'],
  'win32-x64': ['win32-x64-msvc']
}

/** Loads the addon: the file that the environment names, or else a local build, or else an installed package. */
function load() {
  const named = process.env.NAPI_RS_NATIVE_LIBRARY_PATH
  const fitting = builds[`${process.platform}-${process.arch}`] ?? []
  const places = fitting.flatMap((build) => [`dynamodb-session.${build}.node`, `@dynamodb-session/addon-${build}`])
  const failures = []
  for (const place of named ? [named] : places) {
    const addon = loadFrom(place, failures)
    if (addon) return addon
  }
  const others = Object.values(builds)
    .flat()
    .filter((build) => !fitting.includes(build))
  throw require('./load-errors.js').loadError({ version: ownVersion(), named, fitting, others, failures })
}

/** Bundlers find only calls of `require` with a literal, and accept missing packages only inside `try`. */
function loadFrom(place, failures) {
  try {
    switch (place) {
      case 'dynamodb-session.darwin-arm64.node':
        return require('../../dynamodb-session.darwin-arm64.node')
      case '@dynamodb-session/addon-darwin-arm64':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-darwin-arm64')
      case 'dynamodb-session.darwin-x64.node':
        return require('../../dynamodb-session.darwin-x64.node')
      case '@dynamodb-session/addon-darwin-x64':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-darwin-x64')
      case 'dynamodb-session.linux-arm64-gnu.node':
        return require('../../dynamodb-session.linux-arm64-gnu.node')
      case '@dynamodb-session/addon-linux-arm64-gnu':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-linux-arm64-gnu')
      case 'dynamodb-session.linux-arm64-musl.node':
        return require('../../dynamodb-session.linux-arm64-musl.node')
      case '@dynamodb-session/addon-linux-arm64-musl':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-linux-arm64-musl')
      case 'dynamodb-session.linux-x64-gnu.node':
        return require('../../dynamodb-session.linux-x64-gnu.node')
      case '@dynamodb-session/addon-linux-x64-gnu':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-linux-x64-gnu')
      case 'dynamodb-session.linux-x64-musl.node':
        return require('../../dynamodb-session.linux-x64-musl.node')
      case '@dynamodb-session/addon-linux-x64-musl':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-linux-x64-musl')
      case 'dynamodb-session.win32-x64-msvc.node':
        return require('../../dynamodb-session.win32-x64-msvc.node')
      case '@dynamodb-session/addon-win32-x64-msvc':
        return isOfThisVersion(place) && require('@dynamodb-session/addon-win32-x64-msvc')
      default:
        return require(place)
    }
  } catch (error) {
    failures.push({ place, error })
  }
}

/** A lockfile that was edited by hand can install the addon of a different release. */
function isOfThisVersion(name) {
  const installed = versionOf(name)
  if (installed && installed !== ownVersion()) throw new Error(`it has version ${installed}`)
  return true
}

/** Returns undefined if the package is not installed, or in a bundle, where its package.json is missing. */
function versionOf(name) {
  try {
    return require(`${name}/package.json`).version
  } catch {
    return undefined
  }
}

function ownVersion() {
  return require('../../package.json').version
}

module.exports = load()
