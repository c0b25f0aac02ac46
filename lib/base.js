'use strict'

const { EventEmitter } = require('node:events')
const { realpathSync } = require('node:fs')
const path = require('node:path')

/** The base where there is no express-session. Were there one after all, it would put its `generate` here. */
class Alone extends EventEmitter {
  set generate(_) {
    throw new Error(
      'express-session uses this store, but dynamodb-session does not find that package: it is in a bundle, or out of ' +
        "sight. Keep it out of the bundle, or hand it over: const DynamoDBStore = require('dynamodb-session')(session)"
    )
  }
}

/**
 * The `Store` of the app's express-session, or an EventEmitter where there is none (a Koa or Fastify app).
 *
 * Under pnpm and in monorepos this package's own folder need not see what the app sees, so the search
 * begins at the module that required this one and at the program.
 */
function findBase(requirer) {
  const program = require.main?.filename ?? process.argv[1]
  const places = [requirer, ...(program ? foldersOf(program) : []), __dirname, process.cwd()]
  for (const place of places) {
    if (!place) continue
    try {
      return require(require.resolve('express-session', { paths: [place] })).Store
    } catch (error) {
      // A copy that is there but broken is the app's to hear about.
      if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    }
  }
  return Alone
}

/** Where the program stands, and where it really stands if it was started by a link. */
function foldersOf(program) {
  const file = path.resolve(program)
  const folders = [path.dirname(file)]
  try {
    folders.push(path.dirname(realpathSync(file)))
  } catch {
    // A program that is no file, such as one that is read from standard input.
  }
  return folders
}

/** The file that required a module first. `module.parent`, which names it, is deprecated. */
function requirerOf(module) {
  return Object.values(require.cache ?? {}).find((other) => other?.children?.includes(module))?.filename
}

module.exports = { findBase, requirerOf }
