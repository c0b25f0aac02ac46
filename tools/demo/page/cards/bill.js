import { OURS, THEIRS, get, setPrices } from '../api.js'
import { $, dollars, element } from '../dom.js'

const TITLES = {
  [OURS]: OURS,
  [THEIRS]: THEIRS,
  saving: `${OURS} with compression and consistentRead: 'on-miss'`
}
const ORDER = ['saving', OURS, THEIRS]
const TRAFFIC = [1, 3, 10, 30, 100, 300, 1000] // millions of page views in a month

/** Shows what a million page views cost through each store, from measured capacity units. */
export async function showBill() {
  const { prices, pages, changeEvery, stores } = await get('/bill')
  setPrices(prices)
  const most = Math.max(...stores.map(({ perMillion }) => perMillion))
  const sorted = ORDER.map((name) => stores.find((store) => store.name === name))
  $('#bars').replaceChildren(...sorted.map((store) => bar(store, most)))
  const kilobytes = (stores[0].size / 1024).toFixed(1)
  $('#bill-note').textContent =
    `Measured when the demo started: a user logs in and views ${pages} pages within an hour, every ${changeEvery}th page ` +
    `changes the session, and the session has ${kilobytes} KB. On-demand prices of ${prices.region}, as of ` +
    `${prices.date}: ${perMillion(prices.read, 'read')} and ${perMillion(prices.write, 'write')}, without storage.`
  const bill = Object.fromEntries(stores.map(({ name, perMillion }) => [name, perMillion]))
  $('#headline').textContent = `A ${Math.round((1 - bill[OURS] / bill[THEIRS]) * 100)}% smaller bill.`
  $('#traffic').addEventListener('input', () => showTraffic(bill))
  showTraffic(bill)
  return bill
}

function showTraffic(bill) {
  const millions = TRAFFIC[$('#traffic').value]
  const views = millions < 1000 ? `${millions} million` : '1 billion'
  $('#traffic').setAttribute('aria-valuetext', views)
  $('#traffic-views').textContent = views
  $('#traffic-bill').textContent = `${dollars(bill[OURS] * millions)} instead of ${dollars(bill[THEIRS] * millions)}`
}

const perMillion = (price, kind) => `$${price} per million ${kind} request units`

function bar({ name, reads, writes, perMillion }, most) {
  const fill = element('i', { className: name === THEIRS ? 'theirs' : 'ours' })
  fill.style.width = `${(perMillion / most) * 100}%`
  return element(
    'li',
    {},
    element(
      'span',
      {},
      TITLES[name],
      element('small', {}, `${units(reads)} reads + ${units(writes)} writes per 1,000 views`)
    ),
    element('b', {}, dollars(perMillion)),
    element('div', { className: 'bar' }, fill)
  )
}

const units = (number) => Math.round(number).toLocaleString('en-US')
