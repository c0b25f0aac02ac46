'use strict'

const fs = require('node:fs')
const path = require('node:path')
const markdown = require('markdown-it')({ html: true })
const { root } = require('../../support/child')

/** The comment before a block that is not run, with the reason: `<!-- not run: needs Docker -->`. */
const MARK = /^<!-- not run: (\S.*) -->\s*$/

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

module.exports = { pagesOf }
