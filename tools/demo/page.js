'use strict'

const $ = (selector) => document.querySelector(selector)
const show = (selector, visible) => {
  $(selector).hidden = !visible
}
const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
const rounded = (number) => Number(number.toFixed(2))
const isRead = ({ operation }) => operation === 'GetItem'
const time = (operations) => `${sum(operations.map(({ durationMs }) => durationMs ?? 0)).toFixed(1)}\xa0ms`
const units = (operations) => rounded(sum(operations.map(({ capacityUnits }) => capacityUnits ?? 0)))

/** Does not write unchanged text, so that a screen reader does not repeat it. */
function write(selector, text) {
  if ($(selector).textContent !== text) $(selector).textContent = text
}

/** All text enters the page through this function or textContent, so that a name cannot inject markup. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

const totals = { clicks: 0, requests: 0, reads: 0, writes: 0 }
let session = null // at the last click
let item = null // when the table was last read
let absence = '' // why there is no item
let itemAtClick // shows whether another tab has changed the item since
let clockSkew = 0 // this browser's clock minus the server's
let busy = false
let away = false

// --- the clicks

const get = (action) => [{ action, url: `/shop/${action}` }]

function post(action, body = {}, shop = 'shop') {
  const headers = { 'content-type': 'application/json' }
  return [{ action, url: `/${shop}/${action}`, options: { method: 'POST', headers, body: JSON.stringify(body) } }]
}

/** Sends the requests of a click at once. */
async function click(title, requests) {
  if (busy) return
  busy = true
  document.body.setAttribute('aria-busy', 'true')
  const before = { session, expired: remaining() <= 0 }
  const { action } = requests[0]
  try {
    const responses = await Promise.all(requests.map(send))
    const { reply, status } = responses.find(({ reply }) => reply.error) ?? responses[0]
    const { operations } = await inspect(responses.map(({ id }) => id))
    if (status === 401) session = null
    // A response to one of several requests has only the change of that request.
    else if (!reply.error) session = requests.length > 1 ? stored() : reply.session
    itemAtClick = content(item)
    renderSession()
    renderCost(title, operations)
    const error = reply.error ?? operations.find((operation) => operation.error)?.error
    if (!error) tick(action, operations, before)
    say(error, title, operations, before)
    return !error
  } catch {
    lost()
  } finally {
    busy = false
    document.body.removeAttribute('aria-busy')
  }
}

async function send({ url, options }) {
  const response = await fetch(url, options)
  return { reply: await response.json(), status: response.status, id: response.headers.get('x-click') }
}

function say(error, title, operations, before) {
  $('#says').classList.toggle('bad', Boolean(error))
  const expired = before.session && before.expired && !session ? 'The session has expired. Log in again. ' : ''
  $('#says').textContent = error ? errorText(error) : `${expired}${title}: ${price(operations)}`
}

function price(operations) {
  if (!operations.length) return 'no request to DynamoDB.'
  return `${operations.map(({ operation }) => operation).join(' + ')}, ${time(operations)}.`
}

function errorText({ code, message, retryable }) {
  if (!code) return message
  const advice = retryable ? 'Try again.' : 'Check the settings of the server.'
  return `The request to DynamoDB failed. ${message} (${code}). ${advice}`
}

function tick(action, operations, before) {
  const done = {
    login: action === 'login' && session,
    cart: action === 'cart' && session,
    view: action === 'session' && session && operations.length === 1,
    touch: action === 'session' && session && operations.some(({ operation }) => operation === 'UpdateItem'),
    expired: before.session && before.expired && !session,
    logout: action === 'logout' && before.session && !before.expired
  }
  for (const step in done) if (done[step]) complete(step)
}

const complete = (step) => $(`[data-step=${step}]`).classList.add('done')

// --- the races

/** Changes two preferences in two requests at once, and shows which changes the table has then. */
async function race(title, shop) {
  const { theme, language } = session
  const changes = {
    theme: theme === 'light' ? 'dark' : 'light',
    language: language === 'English' ? 'German' : 'English'
  }
  const requests = Object.entries(changes).flatMap(([name, value]) => post('preference', { name, value }, shop))
  if (!(await click(title, requests)) || !session) return
  const lost = Object.keys(changes).filter((name) => session[name] !== changes[name])
  if (shop === 'shop' ? !lost.length : lost.length) complete(shop === 'shop' ? 'merge' : 'overwrite')
  write(
    '#race-result',
    lost.length
      ? `The change of the ${lost.join(' and the ')} is lost: the item still has the old value.`
      : `Both changes are in the item: the theme is ${session.theme}, and the language is ${session.language}.`
  )
}

// --- the session

function renderSession() {
  $('#seen').textContent = session ? JSON.stringify(session, null, 2) : 'No session: nobody is logged in.'
  $('#greeting').textContent = session ? `Hello, ${session.name}. ${cartOf(session)}` : 'You are not logged in.'
  for (const button of document.querySelectorAll('[data-product]')) {
    button.querySelector('span').textContent = `${session?.cart[button.dataset.product] ?? 0} in cart`
  }
  if (session) $(`[name=lifetime][value="${session.lifetime}"]`).checked = true
  const focused = document.activeElement
  show('#login', !session)
  show('#enter', !session)
  show('#products', session)
  show('#leave', session)
  for (const button of document.querySelectorAll('[data-shop]')) button.disabled = !session
  write('#race-result', session ? '' : 'Log in to start a race.')
  $('#look').classList.toggle('main', Boolean(session))
  if (focused.closest('#app') && !focused.offsetParent) $(session ? '#look' : '#name').focus({ preventScroll: true })
  renderSeenNote()
}

function cartOf({ cart }) {
  const count = sum(Object.values(cart))
  return count ? `${plural(count, 'item')} in your cart.` : 'Your cart is empty.'
}

function renderSeenNote() {
  const expired = session && item && remaining() <= 0
  const changed = session && itemAtClick !== content(item)
  $('#session').classList.toggle('stale', Boolean(expired || changed))
  write(
    '#seen-note',
    expired
      ? 'The session has expired. The next click will not find it.'
      : changed
        ? 'The item has changed, perhaps in another tab. View the page to see the change.'
        : ''
  )
}

// --- the item

async function inspect(clicks = []) {
  const response = await fetch(`/inspect?${clicks.map((id) => `click=${id}`).join('&')}`)
  const reply = await response.json()
  clockSkew = Date.now() - reply.now
  item = reply.item ?? null
  absence = reply.error
    ? `Cannot read the item: ${reply.error.message} (${reply.error.code}).`
    : reply.key
      ? 'The table has no item for the session ID in your cookie.'
      : 'No item: your browser has no session cookie for this shop.'
  $('#table').textContent = reply.table
  renderItem()
  return reply
}

const stored = () => item && JSON.parse(item.sess.S)
const content = (item) => item && item.id.S + JSON.stringify(item.sess)
const remaining = () => (item ? Number(item.expires.N) - (Date.now() - clockSkew) / 1000 : Infinity)

function renderItem() {
  const attributes = Object.entries(item ?? {}).map(([name, value]) => {
    const [type] = Object.keys(value)
    const text = typeof value[type] === 'string' ? value[type] : JSON.stringify(value[type])
    const shown = element('dd', { className: 'value' }, text)
    if (name === 'expires') shown.append(element('small', {}, new Date(text * 1000).toLocaleString()))
    return element('div', {}, element('dt', {}, name, element('small', {}, typeNames[type] ?? type)), shown)
  })
  const order = ['id', 'expires', 'type', 'sess']
  attributes.sort((a, b) => order.indexOf(a.firstChild.firstChild.data) - order.indexOf(b.firstChild.firstChild.data))
  $('#attributes').replaceChildren(...attributes)
  show('#clock-frame', item)
  renderClock()
}

const EXPIRED =
  'The item is still here. DynamoDB deletes expired items later, typically within a few days, and the local DynamoDB ' +
  'keeps them. The store does not wait for the deletion: the app no longer sees the session.'
const typeNames = { S: 'S · string', N: 'N · number', M: 'M · map', B: 'B · binary', BOOL: 'BOOL' }

function renderClock() {
  const left = remaining()
  const over = left <= 0
  if (item) {
    $('#clock').classList.toggle('over', over)
    $('#clock b').textContent = over ? 'expired' : clockText(left)
    $('#clock span').textContent = over ? `${clockText(-left)} ago` : 'until it expires'
    $('.bar div').style.width = `${Math.max(0, Math.min(1, left / (session?.lifetime ?? 30))) * 100}%`
  }
  write('#item-note', over ? EXPIRED : item ? '' : absence)
  renderSeenNote()
}

function clockText(seconds) {
  const whole = Math.floor(seconds)
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

// --- the cost

const EARLIER = 4
let earlier // the list entry for the current click, shown after the next one

function badge(operation) {
  return element('span', { className: `badge ${isRead(operation) ? 'read' : 'write'}` }, operation.operation)
}

const cell = (text, failed) => element('td', { className: failed ? 'number failed' : 'number' }, String(text ?? '–'))

function renderCost(title, operations) {
  if (earlier) $('#earlier').prepend(earlier)
  $('#earlier').children[EARLIER]?.remove()
  const badges = operations.length ? operations.map(badge) : ['no request']
  earlier = element('li', {}, element('span', {}, title), ...badges)

  const reads = units(operations.filter(isRead))
  const writes = units(operations.filter((operation) => !isRead(operation)))
  $('#click').textContent = title
  $('#operations').replaceChildren(...operations.map(costRow))
  $('#sum').replaceChildren(
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, plural(operations.length, 'request')),
      cell(time(operations)),
      cell([reads && `${reads}\xa0read`, writes && `${writes}\xa0write`].filter(Boolean).join(' + ') || 0),
      cell('')
    )
  )
  $('#cost-note').textContent = costNote(operations)

  totals.clicks += 1
  totals.requests += operations.length
  totals.reads += reads
  totals.writes += writes
  for (const name in totals) $(`#${name}`).textContent = rounded(totals[name])
}

function costRow(operation) {
  const { attempts, capacityUnits, error } = operation
  const cost = `${capacityUnits ?? '–'} ${isRead(operation) ? 'read' : 'write'}`
  return element(
    'tr',
    {},
    element('td', {}, badge(operation)),
    cell(time([operation])),
    cell(error ? error.code : cost, error),
    cell(attempts)
  )
}

function costNote(operations) {
  if (operations.some(({ error }) => error)) return 'A request failed. The table shows the number of attempts.'
  switch (operations.map(({ operation }) => operation).join()) {
    case '':
      return 'The request had no session cookie, so the store sent no request to DynamoDB.'
    case 'GetItem':
      return session
        ? 'Only a read: the expiry was written less than one tenth of the lifetime ago, so touch sends no request.'
        : 'The item has expired or does not exist, so the app sees no session.'
    case 'GetItem,UpdateItem':
      return 'One tenth of the lifetime has passed since the expiry was written, so touch updates only the expiry.'
    default:
      return ''
  }
}

// --- the pulse

function lost() {
  away = true
  show('#away', true)
  write('#away', 'The demo is not responding. This page resumes when you run `npm run demo` again.')
}

async function look() {
  if (document.hidden || busy) return
  try {
    await inspect()
    if (!away) return
    away = false
    show('#away', false)
    await click('View the page after the demo restarts', get('session'))
  } catch {
    lost()
  }
}

$('#login').addEventListener('submit', (event) => {
  event.preventDefault()
  click('Log in', post('login', { name: $('#name').value, lifetime: chosenLifetime() }))
})
$('#look').addEventListener('click', () => click('View the page', get('session')))
$('#leave').addEventListener('click', () => click('Log out', post('logout')))
$('#products').addEventListener('click', ({ target }) => {
  const product = target.closest('[data-product]')?.dataset.product
  if (product) click(`Add ${product}`, post('cart', { product }))
})
$('#lifetime').addEventListener('change', () => {
  if (session) click('Change the lifetime', post('lifetime', { lifetime: chosenLifetime() }))
})
$('#races').addEventListener('click', ({ target }) => {
  const { shop } = target.dataset
  if (shop) race(target.textContent, shop)
})
const chosenLifetime = () => Number($('[name=lifetime]:checked').value)

setInterval(renderClock, 250)
setInterval(look, 1000)
click('Open this page', get('session'))
