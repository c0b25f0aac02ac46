'use strict'

const { entries, exercise, expected } = require('../exercise')

afterEach(() => jest.useRealTimers())

test.each(entries)('$name with modern fake timers', async (entry) => {
  jest.useFakeTimers()
  entry.load()
  expect(jest.getTimerCount()).toBe(0)
  expect(await exercise(entry)).toEqual(expected)
  expect(jest.getTimerCount()).toBe(0)
  jest.runAllTimers()
})

test.each(entries)('$name with legacy fake timers', async (entry) => {
  jest.useFakeTimers({ legacyFakeTimers: true })
  expect(await exercise(entry)).toEqual(expected)
  jest.runAllTimers()
})
