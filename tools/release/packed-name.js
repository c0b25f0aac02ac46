'use strict'

/** The name of a package in the file name that `npm pack` gives its tarball. */
function packedName(name) {
  return name.replace('@', '').replace('/', '-')
}

module.exports = { packedName }
