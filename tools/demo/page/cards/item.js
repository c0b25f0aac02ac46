import { OURS, get } from '../api.js'
import { $, element } from '../dom.js'

const ORDER = ['id', 'expires', 'user', 'type', 'sess']
const TYPES = { S: 'string', N: 'number', B: 'binary' }

/** Shows the session's item as the table holds it: from this store, and from one with encryption and hashed IDs. */
export async function showItems(isLoggedIn) {
  if (!isLoggedIn) return showNone()
  const [plain, encrypted] = await Promise.all(['item', 'encrypted-item'].map((name) => get(`/shops/${OURS}/${name}`)))
  $('#plain-item').replaceChildren(...attributesOf(plain.item))
  $('#encrypted-item').replaceChildren(...attributesOf(encrypted.item))
}

function showNone() {
  for (const id of ['#plain-item', '#encrypted-item']) {
    $(id).replaceChildren(element('div', {}, element('dt', {}, 'no item'), element('dd', {}, 'Nobody is logged in.')))
  }
}

function attributesOf(item) {
  const sorted = [...(item ?? [])].sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name))
  return sorted.map(({ name, type, value }) =>
    element(
      'div',
      {},
      element('dt', {}, name, ' ', element('small', {}, TYPES[type] ?? type)),
      element(
        'dd',
        {},
        name === 'expires' ? `${value} (${new Date(value * 1000).toLocaleString()})` : readable(name, value)
      )
    )
  )
}

const readable = (name, value) => (name === 'sess' && value.startsWith('{') ? formatted(JSON.parse(value)) : value)
const formatted = (session) => JSON.stringify(session, null, 1).replace(/\n\s*/g, ' ')
