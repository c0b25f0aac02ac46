import { OURS, get, post, requestsOf } from '../api.js'
import { $, announce, element, plural, svg } from '../dom.js'
import { requestList } from '../requests.js'

const DEVICES = `/shops/${OURS}/devices`
const FIRST_DEVICES = 3
const SHAPES = {
  Phone: { x: 7, y: 3, width: 10, height: 18 },
  Tablet: { x: 5, y: 3, width: 14, height: 18 },
  Laptop: { x: 4, y: 5, width: 16, height: 11 },
  Desktop: { x: 2, y: 4, width: 20, height: 13 }
}

/** Shows the sessions of the user who is logged in. */
export async function showDevices(isLoggedIn) {
  const { devices } = isLoggedIn ? await get(DEVICES) : { devices: [] }
  const items = devices.map(deviceItem)
  if (!isLoggedIn) items.push(element('li', {}, 'Log in to see the devices of a user.'))
  $('#devices').replaceChildren(...items)
}

export async function logInOnFirstDevices() {
  for (let count = 1; count < FIRST_DEVICES; count++) await post(DEVICES)
}

export async function logInElsewhere() {
  const { click } = await post(DEVICES)
  await showDevices(true)
  await report('Logged in on one more device.', click)
}

/** Ends all sessions of the user, or all except this one. */
export async function logOutDevices(others) {
  const { ended, click } = await post(`${DEVICES}/logout`, { others })
  if (others) await showDevices(true)
  await report(`${plural(ended, 'session')} ended, ${others ? 'this one is left' : 'this one too'}.`, click)
}

async function report(text, click) {
  $('#devices-result').replaceChildren(element('p', {}, text), requestList((await requestsOf([click])).flat()))
  announce(text)
}

function deviceItem({ device, since, current }) {
  const time = element('time', { dateTime: since }, new Date(since).toLocaleTimeString([], { timeStyle: 'short' }))
  return element(
    'li',
    {},
    icon(device),
    element('span', {}, element('b', {}, device), element('small', {}, 'since ', time)),
    current ? element('span', { className: 'chip good' }, 'this browser') : ''
  )
}

function icon(device) {
  const base = device === 'Laptop' || device === 'Desktop' ? [svg('path', { d: 'M3 20h18' })] : []
  const drawing = [svg('rect', { rx: 2, ...SHAPES[device] }), ...base]
  return svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'icon' }, ...drawing)
}
