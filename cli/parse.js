'use strict'

const { parseArgs } = require('node:util')
const { nearest } = require('../lib/hints.js')
const { usageError } = require('./error.js')

const everywhere = {
  json: { type: 'boolean', text: 'print one JSON document instead of text, also of an error' },
  help: { type: 'boolean', short: 'h', text: 'show this help' }
}

/** The options and arguments of a command; those with a `parse` are what it makes of the text. */
function parse(args, { options, positionals: names = [] }) {
  const allowed = { ...options, ...everywhere }
  const { tokens } = parseArgs({ args, options: shapesOf(allowed), strict: false, tokens: true })
  if (tokens.some(({ name }) => name === 'help')) return { values: { help: true }, positionals: [] }
  const values = {}
  const positionals = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind === 'option') read(token, allowed, values)
  }
  if (positionals.length > names.length) throw usageError(`unexpected argument ${positionals[names.length]}`)
  if (positionals.length < names.length) throw usageError(`${names[positionals.length]} is missing`)
  return { values, positionals }
}

function shapesOf(options) {
  return Object.fromEntries(Object.entries(options).map(([name, { type, short }]) => [name, defined({ type, short })]))
}

function defined({ type, short }) {
  return short === undefined ? { type } : { type, short }
}

/** The end of a message about an unknown word: the known word that is close to it, if any. */
function hint(word, names, before = '') {
  const sides = names.filter((name) => /^(from|to)-/.test(name) && name.endsWith(`-${word}`))
  if (sides.length > 0) return `; did you mean ${sides.map((name) => before + name).join(' or ')}?`
  const near = nearest(word, names)
  return near === undefined ? '' : `; did you mean ${before}${near}?`
}

/** The options as they are typed. */
function optionsOf(allowed) {
  return Object.entries(allowed).flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])])
}

function read({ name, rawName, value, inlineValue }, allowed, values) {
  if (!Object.hasOwn(allowed, name)) {
    throw usageError(`unknown option ${rawName}${hint(name, Object.keys(allowed), '--')}`)
  }
  const { type, multiple, parse: parseValue = (text) => text } = allowed[name]
  if (type === 'boolean') {
    if (value !== undefined) throw usageError(`option --${name} takes no value`)
    values[name] = true
    return
  }
  const isOption = value?.startsWith('-') && !inlineValue && optionsOf(allowed).includes(value)
  if (value === undefined || isOption) {
    throw usageError(`option --${name} needs a value: --${name} <${allowed[name].value}>`)
  }
  const parsed = parseValue(value, `--${name}`)
  if (multiple) (values[name] ??= []).push(parsed)
  else values[name] = parsed
}

/** Readers of values, for the member `parse` of an option. */
function positive(text, name) {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0) throw usageError(`${name} must be a number over 0`)
  return number
}

function count(text, name) {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)) || Number(text) < 1) {
    throw usageError(`${name} must be a whole number, 1 or more`)
  }
  return Number(text)
}

/** One of a list, or several with commas between them. */
function oneOf(choices) {
  return (text, name) => {
    if (choices.includes(text)) return text
    throw usageError(`${name} must be one of ${choices.join(', ')}, not ${text}${hint(text, choices)}`)
  }
}

function listOf(choices) {
  const one = oneOf(choices)
  return (text, name) => text.split(',').map((part) => one(part.trim(), name))
}

module.exports = { count, everywhere, hint, listOf, oneOf, parse, positive }
