'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const markdown = require('markdown-it')({ html: true })
const ts = require('typescript')
const yaml = require('yaml')
const manifest = require('../../package.json')
const { root, runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { link, temporaryDirectory, write } = require('../support/temporary-packages')

/** The comment before a block that is not run, with the reason: `<!-- not run: needs Docker -->`. */
const MARK = /^<!-- not run: (\S.*) -->\s*$/

const dynamodb = useDynamoDB({ exclusive: true })
const examples = pagesOf('README.md', 'docs', 'examples', 'packages')
const pages = [...examples, ...pagesOf('CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'tools', '__test__')]
const blocks = examples.flatMap((page) => page.blocks)

/** The Markdown pages in these files and folders, without generated and installed ones. */
function pagesOf(...places) {
  return places.flatMap((place) => {
    const full = path.join(root, place)
    if (!fs.existsSync(full)) return []
    if (fs.statSync(full).isFile()) return [readPage(place)]
    return fs
      .readdirSync(full, { withFileTypes: true })
      .filter(({ name }) => !/^(node_modules|api|dist|target)$/.test(name))
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.md'))
      .flatMap(({ name }) => pagesOf(path.join(place, name)))
  })
}

/** The parts of a page that the tests check: its code blocks, its links, and its anchors. */
function readPage(file) {
  const tokens = markdown.parse(fs.readFileSync(path.join(root, file), 'utf8'), {})
  const page = { file, blocks: [], links: [], anchors: [], marks: 0 }
  for (const [index, { type, info, content, map, children }] of tokens.entries()) {
    const before = tokens[index - 1]
    if (type === 'html_block' && MARK.test(content)) page.marks++
    if (type === 'fence' || type === 'code_block') {
      const reason = before?.type === 'html_block' ? before.content.match(MARK)?.[1] : undefined
      page.blocks.push({ place: `${file}:${map[0] + 1}`, language: info || 'sh', code: content, reason })
    }
    if (type === 'inline' && before.type === 'heading_open') page.anchors.push(anchorOf(children, page.anchors))
    for (const child of children ?? []) if (child.type === 'link_open') page.links.push(child.attrGet('href'))
  }
  return page
}

/** The anchor of a heading on GitHub. */
function anchorOf(children, taken) {
  const text = children.map(({ content }) => content).join('')
  const anchor = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
  const same = taken.filter((other) => other.replace(/-\d+$/, '') === anchor).length
  return same ? `${anchor}-${same}` : anchor
}

/** A project with the package and the installed packages of this repository. */
function newProject(t) {
  const directory = temporaryDirectory(t)
  link(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
  const modules = path.join(directory, 'app', 'node_modules')
  link(root, path.join(modules, 'dynamodb-session'))
  link(path.join(root, 'packages', 'opentelemetry'), path.join(modules, '@dynamodb-session', 'opentelemetry'))
  return path.join(directory, 'app')
}

async function runScript(t, code) {
  const { endpoint, region, credentials } = dynamodb.connection
  const credentialsUrl = `data:application/json,${JSON.stringify({ ...credentials, expiration: '2099-01-01T00:00:00Z' })}`
  const script = code
    .replaceAll('http://127.0.0.1:8000', endpoint)
    .replaceAll('http://127.0.0.1:9000/credentials', credentialsUrl)
  const file = /^(import|export) /m.test(code) ? 'example.mjs' : 'example.cjs'
  const { code: exitCode, stderr } = await runNode(
    ['--require', path.join(__dirname, 'prelude.js'), write(path.join(newProject(t), file), script)],
    {
      env: {
        AWS_ENDPOINT_URL_DYNAMODB: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
      }
    }
  )
  assert.equal(exitCode, 0, stderr)
}

/** External programs. Only the syntax of their command lines is checked. */
const foreign = new Set('aws cargo cd curl docker echo esbuild export git ncc rustup sam serverless zip'.split(' '))

/** Checks commands without running them: their syntax, npm scripts, files, and options of the dynamodb-session command. */
function checkShell(code) {
  // Text after three or more spaces is an explanation.
  const commands = code.replaceAll(/(?<=\S) {3,}.*$/gm, '')
  execFileSync('bash', ['-n'], { input: commands, stdio: ['pipe', 'ignore', 'pipe'] })
  const lines = commands.replaceAll('\\\n', ' ').split('\n')
  for (const line of lines)
    for (const command of line.replaceAll(/\s(#.*|>\s*\S+)/g, '').split(/&&|[|;]/)) checkCommand(command)
}

function checkCommand(command) {
  const [program, ...args] = command.replace(/^\s*(\w+=\S*\s+)*/, '').match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  if (program === undefined || foreign.has(program)) return
  if (program === 'npm') return checkNpm(args)
  if (program === 'npx' && args[0] === manifest.name) return checkCli(args.slice(1))
  const file = program === 'node' ? args.find((arg) => !arg.startsWith('-')) : program
  assert.ok(fs.existsSync(path.join(root, file)), `unknown program or file ${file}`)
}

function checkNpm([verb, ...args]) {
  assert.match(verb, /^(ci|install|publish|run|start|test)$/)
  const script = verb === 'run' ? args[0] : verb === 'test' ? verb : undefined
  if (script) assert.ok(manifest.scripts[script], `there is no script ${script}`)
}

/** Checks that the command has each option. */
function checkCli([command, ...args]) {
  const { bin } = manifest
  const tool = path.join(root, typeof bin === 'string' ? bin : bin[manifest.name])
  const known = command.startsWith('-') ? [] : [command]
  const help = execFileSync(process.execPath, [tool, ...known, '--help'], { encoding: 'utf8' })
  for (const [option] of args.join(' ').matchAll(/--[\w-]+/g)) {
    assert.ok(help.includes(option) || option === '--help', `${command} has no option ${option}`)
  }
}

const runners = {
  js: runScript,
  ts: (t, code) => runScript(t, ts.transpile(code, { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 })),
  json: (t, code) => JSON.parse(code),
  yaml(t, code) {
    // Unknown tags such as !Ref are warnings: they belong to CloudFormation.
    const { errors } = yaml.parseDocument(code)
    assert.deepEqual(errors, [])
  },
  sh: (t, code) => checkShell(code)
}

const settings = { concurrency: 2, ...needs('tableName') }

describe('code blocks of README, docs, examples, and packages run', settings, () => {
  before(() => dynamodb.raw.createTable('sessions'))

  for (const { place, language, code, reason } of blocks) {
    test(`${place} ${language}`, { skip: reason }, async (t) => {
      assert.ok(
        runners[language],
        `unknown language ${language}: add a runner, or put <!-- not run: reason --> before the block`
      )
      await runners[language](t, code)
    })
  }

  test('each "not run" comment is followed by a code block', () => {
    for (const { file, marks, blocks } of examples) {
      assert.equal(blocks.filter(({ reason }) => reason).length, marks, file)
    }
  })
})

/** Titles of docs/troubleshooting.md that quote messages of other programs, or messages that are composed from parts. */
const otherMessages = [
  'unknown option ',
  'All versions satisfying ',
  ' are quarantined',
  'GLIBC_',
  ' not found',
  'No loader is configured for ".node" files',
  'Module parse failed: Unexpected character',
  'The provided key element does not match the schema',
  'is not authorized to perform: dynamodb:',
  'Item size has exceeded the maximum allowed size',
  'ECONNREFUSED',
  'invalid peer certificate',
  'req.session'
]

test('docs/troubleshooting.md quotes messages that exist', () => {
  const page = fs.readFileSync(path.join(root, 'docs', 'troubleshooting.md'), 'utf8')
  const titles = page.split('\n').filter((line) => line.startsWith('### '))
  const messages = titles.flatMap((title) => [...title.matchAll(/`([^`]+)`/g)].map(([, message]) => message))
  const parts = messages.flatMap((message) => message.split('…')).filter((part) => part.trim() !== '')
  const source = sourceOf('lib', 'core/src')
  for (const part of parts) {
    const isCode = /^\w+(Error|Exception)$/.test(part)
    assert.ok(isCode || otherMessages.includes(part) || source.includes(part), part)
  }
})

/** The text of the source files in these folders, with the strings that continue on another line in one piece. */
function sourceOf(...folders) {
  const files = folders.flatMap((folder) =>
    fs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
  )
  const texts = files
    .filter((entry) => /\.(js|rs)$/.test(entry.name))
    .map((entry) => fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), 'utf8'))
  return texts.join('\n').replaceAll(/' \+\s+["']|\\\n\s+/g, '')
}

test('every test listed in docs/reliability-tests.md exists', () => {
  const index = fs.readFileSync(path.join(root, 'docs', 'reliability-tests.md'), 'utf8')
  const entries = [...index.matchAll(/`([\w-]+\/[\w/-]+) › ([^`]+)`/g)]
  assert.ok(entries.length > 50)
  const missing = entries.filter(([, file, titles]) => {
    const source = readSource(file)
    return source === undefined || !titles.split(' › ').every((title) => hasTitle(source, title))
  })
  assert.deepEqual(
    missing.map(([entry]) => entry),
    []
  )
})

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The source of a file that the index names: a JavaScript test file, or a Rust file. */
function readSource(file) {
  const candidates = [`__test__/${file}.test.js`, `${file}.rs`].map((name) => path.join(root, name))
  const found = candidates.find((name) => fs.existsSync(name))
  return found && fs.readFileSync(found, 'utf8')
}

/** Whether a source has this title of a suite or test, as a literal or as a template filled with words of the source. */
function hasTitle(source, title) {
  if (new RegExp(`\\bfn ${escape(title)}\\(`).test(source)) return true
  if (/\btest\(name,/.test(source) && source.includes(`'${title}': `)) return true
  for (const [, quote, given] of source.matchAll(/\b(?:describe|test)\(\s*(['`"])(.*?)\1,/gs)) {
    const pattern =
      quote === '`'
        ? given
            .split(/\$\{[^}]*\}+/)
            .map(escape)
            .join('(.+)')
        : escape(given)
    const found = title.match(new RegExp(`^${pattern}$`))
    if (found?.slice(1).every((filled) => filled.split(' ').every((word) => source.includes(word)))) return true
  }
  return false
}

/** The target of a link, relative to the root of the repository. The target of a folder is its README. */
function targetOf(file, href) {
  const target = path.join(path.dirname(file), href.split('#')[0])
  const readme = path.join(target, 'README.md')
  return fs.existsSync(path.join(root, readme)) ? readme : target
}

const isRelative = (href) => !/^[a-z]+:/.test(href)

describe('links lead to existing files and headings', () => {
  for (const { file, links, anchors } of pages) {
    test(file, () => {
      for (const href of links.filter(isRelative)) {
        const [target, anchor] = href.split('#')
        if (target) assert.ok(fs.existsSync(path.join(root, targetOf(file, href))), href)
        if (!anchor) continue
        const there = target ? pages.find((page) => page.file === targetOf(file, href))?.anchors : anchors
        assert.ok(there?.includes(anchor), href)
      }
    })
  }

  test('every page can be reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const file of reached) {
      const { links } = pages.find((page) => page.file === file) ?? { links: [] }
      for (const href of links.filter(isRelative)) reached.add(targetOf(file, href))
    }
    const unreachable = pages.map(({ file }) => file).filter((file) => !reached.has(file))
    assert.deepEqual(unreachable, [])
  })
})
