import { STORES } from '../api.js'
import { $, element, median, milliseconds, svg } from '../dom.js'

const KEPT = 60
const WIDTH = 600
const HEIGHT = 160
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

const samples = Object.fromEntries(STORES.map((store) => [store, []]))

/** Adds the durations of the GetItem requests of a page view to the chart. A failed read leaves a gap. */
export function showLatency(results) {
  for (const { store, requests } of results) {
    const read = requests.find(({ operation }) => operation === 'GetItem')
    if (!read) continue
    samples[store].push(read.error ? null : read.durationMs)
    samples[store].splice(0, samples[store].length - KEPT)
  }
  draw()
  return Object.fromEntries(STORES.map((store) => [store, middle(store)]))
}

const middle = (store) => median(samples[store].filter((ms) => ms !== null)) ?? 0

function draw() {
  const all = STORES.flatMap((store) => samples[store])
  const top = STEPS.find((step) => step >= percentile(all, 0.95)) ?? STEPS.at(-1)
  const y = (ms) => HEIGHT - (Math.min(ms, top) / top) * HEIGHT
  const x = (index, count) => (index / Math.max(count - 1, 1)) * WIDTH

  const grid = [0, 0.5, 1].map((part) => svg('path', { class: 'grid', d: `M0 ${y(part * top)}H${WIDTH}` }))
  const lines = STORES.map((store, index) => {
    const points = samples[store].map((ms, at) => ms !== null && `${x(at, samples[store].length)} ${y(ms)}`)
    return svg('path', { class: index ? 'theirs' : 'ours', d: pathOf(points) })
  })
  $('#chart').replaceChildren(...grid, ...lines)
  $('#chart').setAttribute('aria-label', STORES.map((store) => `${store}: ${milliseconds(middle(store))}`).join(', '))
  $('#chart-top').textContent = `${top} ms`
  $('#chart-middle').textContent = `${top / 2} ms`
  $('#medians').replaceChildren(
    ...STORES.map((store, index) =>
      element('li', { className: index ? 'theirs' : 'ours' }, store, ' ', element('b', {}, milliseconds(middle(store))))
    )
  )
}

/** A line through the points, with gaps where there is none. */
function pathOf(points) {
  return points
    .map((point, index) => point && `${index && points[index - 1] ? 'L' : 'M'}${point}`)
    .filter(Boolean)
    .join('')
}

function percentile(numbers, part) {
  const sorted = numbers.filter((number) => number !== null).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * part)] ?? 0
}
