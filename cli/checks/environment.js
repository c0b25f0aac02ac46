'use strict'

/** What is installed; gives whether the addon is there. */
function environment(tell) {
  const { version } = require('../../package.json')
  let isLoaded = true
  const platform = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`
  try {
    require('../../binding.js')
    tell('addon', 'ok', `dynamodb-session ${version}, ${platform}`)
  } catch (error) {
    isLoaded = false
    const [reason] = error.message.split('\n')
    tell(
      'addon',
      'failed',
      `dynamodb-session ${version} has no binary that loads on ${platform}: ${reason}`,
      'install the package again on this platform, with its optional dependencies; in a clone: npm run build'
    )
  }
  const [status, detail] = expressSession()
  tell('express-session', status, detail)
  return isLoaded
}

function expressSession() {
  try {
    const file = require.resolve('express-session/package.json', { paths: [process.cwd(), __dirname] })
    return ['ok', `${require(file).version}`]
  } catch {
    return ['ok', 'not found from here, and only needed in Express apps']
  }
}

module.exports = { environment }
