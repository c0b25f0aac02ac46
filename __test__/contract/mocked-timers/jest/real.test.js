'use strict'

const { entries, exercise, expected } = require('../exercise')

test.each(entries)('$name', async (entry) => {
  expect(await exercise(entry)).toEqual(expected)
})
