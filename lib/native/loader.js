'use strict'

/** The builds to try. Which of two fits a Linux, its C library tells best, by loading it or not. */
const builds = {
  'darwin-arm64': ['darwin-arm64'],
  'darwin-x64': ['darwin-x64'],
  'linux-arm64': ['linux-arm64-gnu', 'linux-arm64-musl'],
  'linux-x64': ['linux-x64-gnu', 'linux-x64-musl'],
  'win32-x64': ['win32-x64-msvc']
}

/** Loads the addon: the file that the environment names, or one that was built here, or one that was installed. */
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
  throw require('./load-errors.js').loadError({ version: versionHere(), named, fitting, others, failures })
}

/** Literal requires, since bundlers find no others, and inside of `try`, since each may find only some of them. */
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

/** A lockfile that was mended by hand can leave another release's addon here. */
function isOfThisVersion(name) {
  const installed = versionOf(name)
  if (installed && installed !== versionHere()) throw new Error(`it is of version ${installed}`)
  return true
}

/** Unknown where the package is not there, and in a bundle, which has the addon and not its manifest. */
function versionOf(name) {
  try {
    return require(`${name}/package.json`).version
  } catch {
    return undefined
  }
}

function versionHere() {
  return require('../../package.json').version
}

module.exports = load()
