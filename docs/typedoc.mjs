// Settings of the API reference, which `npm run docs` builds.

import { readFileSync } from 'node:fs'
import { Converter, ReflectionKind } from 'typedoc'

const { name, exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** What an app requires to get what this declaration file describes. */
function entryOf(module) {
  const entry = Object.keys(exports).find((key) => exports[key].types === `./${module.name}.d.ts`)
  return entry && name + entry.slice(1)
}

/** Names modules as an app requires them, and what they are by `export =` as its declaration does. */
function renameModules({ converter }) {
  converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.name === 'export=') reflection.name = context.getSymbolFromReflection(reflection).name
  })
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) module.name = entryOf(module) ?? module.name
  })
}

export default {
  name: 'dynamodb-session',
  entryPoints: ['../index.d.ts', '../lib/compat/*.d.ts'],
  tsconfig: '../__test__/types/tsconfig.json',
  plugin: [renameModules],
  readme: '../README.md',
  headings: { readme: false },
  projectDocuments: ['*.md', 'migration/*.md', '../CHANGELOG.md'],
  out: 'api',
  disableSources: true,
  excludeExternals: true,
  highlightLanguages: ['javascript', 'typescript', 'json', 'yaml', 'bash', 'docker', 'hcl'],
  validation: { notDocumented: true, notExported: true, invalidLink: true },
  intentionallyNotDocumented: ['dynamodb-session/connect-dynamodb.SessionPackage.Store.__type'],
  treatWarningsAsErrors: true
}
