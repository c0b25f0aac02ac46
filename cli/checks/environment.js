'use strict'

/** Checks what is installed. Returns whether the addon can be loaded. */
function checkEnvironment(report) {
  const isAddonLoaded = checkAddon(report)
  report('express-session', 'ok', expressSessionVersion() ?? 'not installed here; only Express apps need it')
  return isAddonLoaded
}

function checkAddon(report) {
  const { version } = require('../../package.json')
  try {
    require('../../lib/native/loader.js')
    report(
      'addon',
      'ok',
      `dynamodb-session ${version}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}`
    )
    return true
  } catch (error) {
    // The message is a summary, a list of the attempts, and the advice.
    const [summary, ...lines] = error.message.split('\n')
    const advice = lines.slice(lines.findLastIndex((line) => line.startsWith('  - ')) + 1)
    report('addon', 'failed', summary, advice.join(' '))
    return false
  }
}

function expressSessionVersion() {
  try {
    const file = require.resolve('express-session/package.json', { paths: [process.cwd(), __dirname] })
    return require(file).version
  } catch {
    return undefined
  }
}

module.exports = { checkEnvironment }
