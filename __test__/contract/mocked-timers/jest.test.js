'use strict'

// Run by Jest. ../mocked-timers.test.js selects one suite for each run, because the configuration differs.

const { connection, entries, exercise, expected, tables } = require('./exercise')

describe('fake timers enabled by a test', () => {
  afterEach(() => jest.useRealTimers())

  test.each(entries)('$name works with modern fake timers', async (entry) => {
    jest.useFakeTimers()
    entry.load()
    expect(jest.getTimerCount()).toBe(0)
    expect(await exercise(entry)).toEqual(expected)
    expect(jest.getTimerCount()).toBe(0)
    jest.runAllTimers()
  })

  test.each(entries)('$name works with legacy fake timers', async (entry) => {
    jest.useFakeTimers({ legacyFakeTimers: true })
    expect(await exercise(entry)).toEqual(expected)
    jest.runAllTimers()
  })
})

describe('fake timers enabled globally', () => {
  test.each(entries)('$name works', async (entry) => {
    entry.load()
    expect(await exercise(entry)).toEqual(expected)
    jest.runAllTimers()
  })
})

describe('a mocked date', () => {
  const lifetime = 60_000
  afterEach(() => jest.useRealTimers())

  test.each(entries)('$name uses it to determine expiry', async ({ name, create, frameworks }) => {
    const store = create({ connection, table: tables[name] })
    const call = (method, ...args) =>
      frameworks.includes('express')
        ? new Promise((resolve, reject) => {
            store[method](...args, (error, value) => (error ? reject(error) : resolve(value)))
          })
        : store[method](...args)
    for (const year of [1980, 2010, 2090]) {
      jest.useFakeTimers({ now: new Date(`${year}-06-01T12:00:00.000Z`) })
      const cookie = { originalMaxAge: lifetime, maxAge: lifetime }
      await call('set', 'id', { cookie, user: 'ann' }, lifetime)
      expect((await call('get', 'id')).user).toBe('ann')
      if (store.length !== undefined) expect(await call('length')).toBe(1)
      if (store.ids !== undefined) expect(await call('ids')).toEqual(['id'])
      if (store.touch !== undefined) {
        jest.setSystemTime(Date.now() + lifetime / 2)
        await call('touch', 'id', { cookie })
      }
      jest.setSystemTime(Date.now() + lifetime - 1000)
      expect((await call('get', 'id')).user).toBe('ann')
      jest.setSystemTime(Date.now() + 2001)
      if (store.length !== undefined) expect(await call('length')).toBe(0)
      if (store.all !== undefined) expect(await call('all')).toEqual([])
      expect((await call('get', 'id')) ?? null).toBeNull()
    }
    await store.close?.()
  })
})

describe('real timers', () => {
  test.each(entries)('$name works', async (entry) => {
    expect(await exercise(entry)).toEqual(expected)
  })
})
