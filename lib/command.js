'use strict'

/** A command of the CLI that can be pasted into a shell. Options that are undefined are left out. */
function commandLine(name, options) {
  const args = Object.entries(options).flatMap(([option, value]) => {
    if (value === undefined) return []
    const text = quoted(withoutUserInfo(String(value)))
    return text.startsWith('-') ? [`--${option}=${text}`] : [`--${option}`, text]
  })
  return ['npx dynamodb-session', name, ...args].join(' ')
}

function quoted(arg) {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`
}

/** The store sends no user name and password of an endpoint, and nothing may print them. */
function withoutUserInfo(text) {
  return text.replace(/^((--[\w-]+=)?https?:\/\/)[^/?#]*@/i, '$1')
}

module.exports = { commandLine, quoted, withoutUserInfo }
