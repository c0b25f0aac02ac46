'use strict'

const { EventEmitter } = require('node:events')
const { realpathSync } = require('node:fs')
const path = require('node:path')

/** The base class if express-session is not found. If express-session uses the store after all, it sets `generate`. */
class BaseWithoutExpress extends EventEmitter {
  set generate(_) {
    throw new Error(
      'express-session uses this store, but dynamodb-session cannot find the express-session package. Either ' +
        'express-session is bundled with your app, or it is installed where dynamodb-session cannot resolve it. Keep it ' +
        "out of the bundle, or pass it in: const DynamoDBStore = require('dynamodb-session')(session)"
    )
  }
}

/**
 * The `Store` class of the app's express-session, or an EventEmitter if there is none, as in a Koa or Fastify app.
 *
 * With pnpm and in monorepos, this package may not resolve the packages that the app resolves. The search therefore
 * starts at the module that required this package and at the program.
 */
function findBase(requirer) {
  const program = require.main?.filename ?? process.argv[1]
  const places = [requirer, ...(program ? foldersOf(program) : []), __dirname, process.cwd()]
  for (const place of places) {
    if (!place) continue
    try {
      return require(require.resolve('express-session', { paths: [place] })).Store
    } catch (error) {
      // If the package exists but cannot be loaded, the app must get the error.
      if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    }
  }
  return BaseWithoutExpress
}

/** The folder of the program, and the real one if the program is a symbolic link. */
function foldersOf(program) {
  const file = path.resolve(program)
  const folders = [path.dirname(file)]
  try {
    folders.push(path.dirname(realpathSync(file)))
  } catch {
    // The program is not a file: for example, Node.js reads it from standard input.
  }
  return folders
}

/** The file that first required a module. `module.parent`, which has the same information, is deprecated. */
function requirerOf(module) {
  return Object.values(require.cache ?? {}).find((other) => other?.children?.includes(module))?.filename
}

module.exports = { findBase, requirerOf }
