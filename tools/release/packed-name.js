'use strict'

/** How `npm pack` writes the name of a package in the name of its file. */
function packedName(name) {
  return name.replace('@', '').replace('/', '-')
}

module.exports = { packedName }
