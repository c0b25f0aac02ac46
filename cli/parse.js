'use strict'

const { parseArgs } = require('node:util')
const { nearest } = require('../lib/option-hints.js')
const { usageError } = require('./error.js')

/** Options of every command. */
const commonOptions = {
  json: { type: 'boolean', description: 'Print the result or the error as one JSON document' },
  help: { type: 'boolean', short: 'h', description: 'Show this help' }
}

/** Reads the arguments of a command. An option with a `parse` function has the value that this function returns. */
function parseArguments(args, { options, positionals: names = [] }) {
  const allowed = { ...options, ...commonOptions }
  const given = names.length > 0 ? withIdsLast(args, allowed) : args
  const { tokens } = parseArgs({ args: given, options: parseArgsOptions(allowed), strict: false, tokens: true })
  if (tokens.some(({ name }) => name === 'help')) return { values: { help: true }, positionals: [] }
  const values = {}
  const positionals = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind === 'option') readOption(token, allowed, values)
  }
  if (positionals.length > names.length) throw usageError(`unexpected argument ${positionals[names.length]}`)
  if (positionals.length < names.length) throw usageError(`missing argument <${names[positionals.length]}>`)
  return { values, positionals }
}

/**
 * Moves arguments such as -abc to the end, after `--`: they are session IDs, because commands with such an argument have no
 * short options that can be combined.
 */
function withIdsLast(args, options) {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const isValue = (i) => args[i - 1]?.startsWith('--') && options[args[i - 1].slice(2)]?.type === 'string'
  const isId = (arg, i) => i < end && /^-[^-]./.test(arg) && !isValue(i)
  const ids = args.filter(isId)
  const others = args.filter((arg, i) => !isId(arg, i))
  return ids.length === 0 ? args : [...others, ...(end === args.length ? ['--'] : []), ...ids]
}

/** The options in the form that parseArgs of Node.js accepts. */
function parseArgsOptions(options) {
  const entries = Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }])
  return Object.fromEntries(entries)
}

function readOption({ name, rawName, value, inlineValue }, allowed, values) {
  if (!Object.hasOwn(allowed, name)) {
    throw usageError(`unknown option ${rawName}${didYouMean(name, Object.keys(allowed), '--')}`)
  }
  const { type, multiple, placeholder, parse = (text) => text } = allowed[name]
  if (type === 'boolean') {
    if (value !== undefined) throw usageError(`option --${name} does not take a value`)
    values[name] = true
    return
  }
  const isOption = value?.startsWith('-') && !inlineValue && spellings(allowed).includes(value)
  if (value === undefined || isOption) {
    throw usageError(`option --${name} requires a value: --${name} <${placeholder}>`)
  }
  const parsed = parse(value, `--${name}`)
  if (multiple) (values[name] ??= []).push(parsed)
  else values[name] = parsed
}

/** All spellings of the options, long and short. */
function spellings(options) {
  return Object.entries(options).flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])])
}

/** The end of a message about an unknown word: it names similar known words, if there are any. */
function didYouMean(word, names, dashes = '') {
  const sides = names.filter((name) => /^(from|to)-/.test(name) && name.endsWith(`-${word}`))
  if (sides.length > 0) return `; did you mean ${sides.map((name) => dashes + name).join(' or ')}?`
  const similar = nearest(word, names)
  return similar === undefined ? '' : `; did you mean ${dashes}${similar}?`
}

// Functions for the `parse` member of an option.

function positiveNumber(text, name) {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0) {
    throw usageError(`${name} must be a number greater than 0`)
  }
  return number
}

function positiveInteger(text, name) {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)) || Number(text) < 1) {
    throw usageError(`${name} must be a whole number of at least 1`)
  }
  return Number(text)
}

function userPath(text, name) {
  if (!text.split('.').includes('')) return text
  throw usageError(`${name} must be the path of a field of the session, such as passport.user`)
}

function oneOf(choices) {
  return (text, name) => {
    if (choices.includes(text)) return text
    throw usageError(`${name} must be one of ${choices.join(', ')}, not ${text}${didYouMean(text, choices)}`)
  }
}

/** Several of the choices, separated by commas. */
function listOf(choices) {
  const parseOne = oneOf(choices)
  return (text, name) => text.split(',').map((part) => parseOne(part.trim(), name))
}

module.exports = { commonOptions, didYouMean, listOf, oneOf, parseArguments, positiveInteger, positiveNumber, userPath }
