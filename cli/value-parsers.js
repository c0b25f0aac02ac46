'use strict'

// Functions for the `parse` member of an option.

const { usageError } = require('./error.js')
const { didYouMean } = require('./parse.js')

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

module.exports = { listOf, oneOf, positiveInteger, positiveNumber }
