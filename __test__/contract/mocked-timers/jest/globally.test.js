'use strict'

const { entries, exercise, expected } = require('../exercise')

test.each(entries)('$name with fake timers that Jest enables before it loads', async (entry) => {
  entry.load()
  expect(await exercise(entry)).toEqual(expected)
  jest.runAllTimers()
})
