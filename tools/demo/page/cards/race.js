import { STORES, clickBoth, get, post, priceOf, requestsOf } from '../api.js'
import { $, announce, dollars, element, plural } from '../dom.js'
import { requestList } from '../requests.js'

const CHANGES = [
  { change: 'cart', title: 'adds tea to the cart', value: ({ cart }) => `${cart.tea ?? 0} × tea` },
  { change: 'theme', title: 'changes the theme', value: ({ theme }) => theme }
]
const OTHER_THEME = { light: 'dark', dark: 'light' }

/** Sends two requests of one session at once to each store, and compares the result in the table with what both changed. */
export async function race() {
  const id = crypto.randomUUID()
  const before = await clickBoth((shop) => get(`${shop}/session`))
  const results = []
  for (const store of STORES) results.push(await raceIn(store, id, sessionIn(before, store)))
  $('#lanes').replaceChildren(...results.map(lane))
  const [ours, theirs] = results.map(({ changes }) => changes.filter(({ kept }) => !kept).length)
  announce(`Race: dynamodb-session lost ${plural(ours, 'change')}, connect-dynamodb lost ${plural(theirs, 'change')}.`)
  return { ours, theirs }
}

const sessionIn = (results, store) => {
  const { session, error } = results.find((result) => result.store === store)
  if (error || !session) throw error ?? new Error('There is no session. Log in, or restore the connection.')
  return session
}

async function raceIn(store, id, before) {
  const shop = `/shops/${store}`
  const replies = await Promise.all(CHANGES.map(({ change }) => post(`${shop}/race`, { race: id, change })))
  const requests = (await requestsOf(replies.map(({ click }) => click))).flat()
  const { item } = await get(`${shop}/item`)
  if (!item) throw new Error('The session has ended. Log in again.')
  const after = JSON.parse(item.find(({ name }) => name === 'sess').value)
  const wanted = {
    cart: { ...before.cart, tea: (before.cart.tea ?? 0) + 1 },
    theme: OTHER_THEME[before.theme]
  }
  const changes = CHANGES.map(({ title, value }) => ({
    title,
    from: value(before),
    to: value(wanted),
    kept: value(after) === value(wanted)
  }))
  return { store, changes, requests }
}

function lane({ store, changes, requests }) {
  const lost = changes.filter(({ kept }) => !kept).length
  const verdict = lost ? `${plural(lost, 'change')} lost` : 'merged'
  return element(
    'div',
    { className: 'lane' },
    element(
      'h3',
      {},
      element('span', { className: 'store' }, store),
      ' ',
      element('span', { className: lost ? 'chip bad' : 'chip good' }, verdict)
    ),
    element('ul', { className: 'changes' }, ...changes.map(changeItem)),
    requestList(requests),
    element('p', { className: 'note' }, `${dollars(priceOf(requests))} per million such races`)
  )
}

function changeItem({ title, from, to, kept }, index) {
  return element(
    'li',
    { className: kept ? 'kept' : 'lost' },
    element('span', { className: 'who' }, `Request ${'AB'[index]} ${title}`),
    element('span', { className: 'what' }, `${from} → ${to}`),
    element('b', {}, kept ? 'kept' : 'lost')
  )
}
