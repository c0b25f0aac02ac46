'use strict'

const { entries } = require('../exercise')

const { connection, tables } = JSON.parse(process.env.PLACE)
const lifetime = 60_000

afterEach(() => jest.useRealTimers())

test.each(entries)('$name with a mocked date', async ({ name, create, frameworks }) => {
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
    await call('set', 'dated', { cookie, user: 'ann' }, lifetime)
    expect((await call('get', 'dated')).user).toBe('ann')
    if (store.length !== undefined) expect(await call('length')).toBe(1)
    if (store.ids !== undefined) expect(await call('ids')).toEqual(['dated'])
    if (store.touch !== undefined) {
      jest.setSystemTime(Date.now() + lifetime / 2)
      await call('touch', 'dated', { cookie })
    }
    jest.setSystemTime(Date.now() + lifetime - 1000)
    expect((await call('get', 'dated')).user).toBe('ann')
    jest.setSystemTime(Date.now() + 2001)
    if (store.length !== undefined) expect(await call('length')).toBe(0)
    if (store.all !== undefined) expect(await call('all')).toEqual([])
    expect((await call('get', 'dated')) ?? null).toBeNull()
  }
  await store.close?.()
})
