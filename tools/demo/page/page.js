import { OURS, THEIRS, clickBoth, get, post } from './api.js'
import { showBill } from './cards/bill.js'
import { showClick, showShop } from './cards/clicks.js'
import { logInElsewhere, logInOnFirstDevices, logOutDevices, showDevices } from './cards/devices.js'
import { showItems } from './cards/item.js'
import { showLatency } from './cards/latency.js'
import { probe, showBeat, switchConnection } from './cards/outage.js'
import { race } from './cards/race.js'
import { $, announce, dollars, milliseconds, plural } from './dom.js'

const BEAT_MS = 1000
const FIRST_BEATS = 24

const CLICKS = {
  login: ['Log in', (shop) => post(`${shop}/login`)],
  view: ['View a page', (shop) => get(`${shop}/session`)],
  add: ['Add coffee to the cart', (shop) => post(`${shop}/cart`, { product: 'coffee' })],
  logout: ['Log out', (shop) => post(`${shop}/logout`)]
}

let isLoggedIn = false
let last = Promise.resolve()

/** Runs one action after the other, so that no page view interferes with a click. */
function enqueue(action) {
  last = last.then(action).then(() => complain({}), complain)
  return last
}

/** Shows an error until the next action. */
function complain({ code, message = '' }) {
  const text = code ? `${code}: ${message}` : message
  $('#alert').hidden = !text
  if ($('#alert').textContent !== text) $('#alert').textContent = text
}

async function click(name) {
  const [title, send] = CLICKS[name]
  const results = await clickBoth(send)
  showClick(title, results)
  const [ours, theirs] = results
  if (name === 'view' && ours.session && theirs.session) tile('requests', ours.requests.length, theirs.requests.length)
  announce(
    `${title}: ${results.map(({ store, requests }) => `${store} ${plural(requests.length, 'request')}`).join(', ')}.`
  )
  if (ours.error?.status === 401) await showSession(null)
  if (ours.error) throw ours.error
  if (!ours.hasSessions) throw new Error('The store is disconnected, so this page view has no session.')
  if (name === 'login') await logInOnFirstDevices()
  await showSession(ours.session)
}

async function showSession(session) {
  isLoggedIn = Boolean(session)
  showShop(session)
  await Promise.all([showItems(session), showDevices(session)])
}

async function runRace() {
  const lost = await race()
  tile('lost', lost.ours, lost.theirs)
  await showSession((await get(`/shops/${OURS}/session`)).session)
}

const measure = async () => ({ readiness: await probe(), results: await clickBoth(CLICKS.view[1]) })

async function show({ readiness, results }) {
  showBeat(results, readiness)
  const [{ session, hasSessions }] = results
  if (isLoggedIn && hasSessions && !session) await showSession(null) // another tab has logged out
  const medians = showLatency(results)
  tile('latency', milliseconds(medians[OURS]), milliseconds(medians[THEIRS]))
}

/** A headline number: of this store, and of connect-dynamodb. */
function tile(name, ours, theirs) {
  $(`#${name}-ours`).textContent = ours
  $(`#${name}-theirs`).textContent = theirs
}

/** The first visit: whoever opens the page sees what all of this looks like, and need not click. */
async function start() {
  await post('/connection', { on: true }) // another page may have cut it
  await probe()
  const bill = await showBill()
  tile('bill', dollars(bill[OURS]), dollars(bill[THEIRS]))
  const [ours, theirs] = await clickBoth(CLICKS.view[1])
  if (!ours.session || !theirs.session) await click('login')
  await show(await measure())
  await click('add')
  await click('view')
  await runRace()
  // Drawing would slow down the measurements, so it follows them.
  const beats = []
  for (let count = 1; count < FIRST_BEATS; count++) beats.push(await measure())
  for (const beat of beats) await show(beat)
  document.body.dataset.started = ''
}

const actions = {
  ...Object.fromEntries(Object.keys(CLICKS).map((name) => [name, () => click(name)])),
  race: runRace,
  device: logInElsewhere,
  others: () => logOutDevices(true),
  async everywhere() {
    await logOutDevices(false)
    await showSession(null)
  },
  connection: () => switchConnection($('#connection').getAttribute('aria-checked') === 'false')
}

document.addEventListener('click', ({ target }) => {
  const action = actions[target.closest('[data-action]')?.dataset.action]
  if (action) enqueue(action)
})

let isLost = false // the demo does not respond

async function keepBeating() {
  if (!document.hidden) {
    last = last
      .then(measure)
      .then(show)
      .then(
        () => isLost && complain({}),
        (error) => complain(error) ?? true
      )
    isLost = await last
  }
  setTimeout(keepBeating, BEAT_MS)
}

enqueue(start).then(keepBeating)
