import { STORES, get, post } from '../api.js'
import { $, announce, element } from '../dom.js'

const BEATS = 24
const ROWS = ['ready', ...STORES]

let restoredAt = null

export async function switchConnection(on) {
  const result = await post('/connection', { on })
  $('#connection').setAttribute('aria-checked', result.on)
  $('#connection-text').textContent = result.on ? 'Connected' : 'Cut'
  restoredAt = result.on ? performance.now() : null
  say(result.on ? 'The connection is back. Waiting for the next probe.' : 'The connection to DynamoDB is cut.')
}

/** The readiness probe of the app: does its store reach DynamoDB? */
export const probe = () =>
  get('/ready').then(
    () => ({ state: 'good', text: '200 ready' }),
    (error) => {
      if (error.status === 0) throw error
      return { state: 'bad', text: `${error.status} not ready`, error }
    }
  )

/** Adds a page view and a readiness probe to the strips. */
export function showBeat(results, readiness) {
  const beats = { ready: readiness }
  for (const result of results) beats[result.store] = pageBeat(result)
  for (const row of ROWS) addBeat(row, beats[row])
  $('#outage').dataset.state = readiness.state
  if (readiness.error) {
    say(`${readiness.error.code}: ${readiness.error.message}`)
  } else if (restoredAt) {
    const seconds = ((performance.now() - restoredAt) / 1000).toFixed(1)
    say(`Recovered ${seconds} s after the connection came back, without a restart.`)
    restoredAt = null
  }
}

function pageBeat({ error, hasSessions }) {
  if (error) return { state: 'bad', text: `${error.status} ${error.code ?? ''}` }
  return hasSessions
    ? { state: 'good', text: '200 with its session' }
    : { state: 'warn', text: '200 without a session' }
}

function addBeat(row, { state, text }) {
  const strip = $(`[data-beats=${row}]`)
  strip.append(element('i', { className: state, title: text }))
  while (strip.children.length > BEATS) strip.firstChild.remove()
  strip.setAttribute('aria-label', `Last result: ${text}`)
  const now = $(`[data-now=${row}]`)
  now.textContent = text
  now.className = `now ${state}`
}

function say(text) {
  if ($('#outage-note').textContent === text) return
  $('#outage-note').textContent = text
  announce(text)
}
