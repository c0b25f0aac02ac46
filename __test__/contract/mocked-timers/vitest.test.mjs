import { createRequire } from 'node:module'
import { afterEach, expect, test, vi } from 'vitest'

const { entries, exercise, expected } = createRequire(import.meta.url)('./exercise.js')

afterEach(() => vi.useRealTimers())

for (const entry of entries) {
  test(`${entry.name} works with fake timers`, async () => {
    vi.useFakeTimers()
    entry.load()
    expect(vi.getTimerCount()).toBe(0)
    expect(await exercise(entry)).toEqual(expected)
    expect(vi.getTimerCount()).toBe(0)
    vi.runAllTimers()
  })
}
