import { OURS, STORES, priceOf } from '../api.js'
import { $, dollars, element } from '../dom.js'
import { requestList } from '../requests.js'

const KEPT = 4

/** Adds a click to the list: what it sent through each store, and what a million such clicks cost. */
export function showClick(title, results) {
  const cells = STORES.map((store) => cell(results.find((result) => result.store === store)))
  const row = element('li', { className: 'click' }, element('h3', {}, title), ...cells)
  $('#clicks').prepend(row)
  $('#clicks').children[KEPT]?.remove()
}

function cell({ store, requests, error }) {
  return element(
    'div',
    { className: `cell ${store === OURS ? 'ours' : 'theirs'}` },
    element('span', { className: 'store' }, store),
    requestList(requests),
    error
      ? element('strong', { className: 'price failed' }, 'failed')
      : element('strong', { className: 'price' }, dollars(priceOf(requests)), element('small', {}, ' / million'))
  )
}

/** Shows the shop as the session of this store has it. */
export function showShop(session) {
  const { cart = {}, name, theme } = session ?? {}
  const bought = Object.entries(cart).map(([product, count]) => `${count} × ${product}`)
  $('#greeting').textContent = session
    ? `${name} is logged in. Cart: ${bought.join(', ')}. Theme: ${theme}.`
    : 'Nobody is logged in.'
  const focused = document.activeElement
  for (const button of document.querySelectorAll('[data-needs=session]')) button.disabled = !session
  $('#log-in').hidden = Boolean(session)
  $('#log-out').hidden = !session
  if (focused.hidden || focused.disabled) $('[data-action=view]').focus({ preventScroll: true })
}
