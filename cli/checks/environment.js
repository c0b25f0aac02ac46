'use strict'

/** What is installed; gives whether the addon is there. */
function environment(tell) {
  const { version } = require('../../package.json')
  let isLoaded = true
  const platform = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`
  try {
    require('../../lib/native/loader.js')
    tell('addon', 'ok', `dynamodb-session ${version}, ${platform}`)
  } catch (error) {
    isLoaded = false
    // Its first line says what is the matter, those after the list what to do.
    const [summary, ...lines] = error.message.split('\n')
    const advice = lines.slice(lines.findLastIndex((line) => line.startsWith('  - ')) + 1)
    tell('addon', 'failed', summary, advice.join(' '))
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
