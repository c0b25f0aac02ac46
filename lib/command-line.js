'use strict'

/** A command line of the CLI, ready to paste into a shell. Undefined options are left out, and `true` is a flag. */
function commandLine(name, options) {
  const args = Object.entries(options).flatMap(([option, value]) => {
    if (value === undefined) return []
    if (value === true) return [`--${option}`]
    const text = quoted(withoutUserInfo(String(value)))
    return text.startsWith('-') ? [`--${option}=${text}`] : [`--${option}`, text]
  })
  return ['npx dynamodb-session', name, ...args].join(' ')
}

function quoted(arg) {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`
}

/** Removes the user name and password from an endpoint. The store does not send them, and nothing may print them. */
function withoutUserInfo(text) {
  return text.replace(/^((--[\w-]+=)?https?:\/\/)[^/?#]*@/i, '$1')
}

module.exports = { commandLine, quoted, withoutUserInfo }
