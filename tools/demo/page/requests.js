import { isRead } from './api.js'
import { element, milliseconds, plural } from './dom.js'

/** Shows requests to DynamoDB, each with its name, capacity units, and duration. */
export function requestList(requests) {
  if (!requests.length) return element('p', { className: 'no-request' }, 'no request')
  return element('ul', { className: 'requests' }, ...requests.map(requestItem))
}

function requestItem(request) {
  const { operation, capacityUnits, durationMs, attempts, error } = request
  const kind = error ? 'failed' : isRead(request) ? 'read' : 'write'
  const details = [
    capacityUnits !== null && plural(capacityUnits, kind),
    error?.code,
    durationMs !== undefined && milliseconds(durationMs),
    attempts > 1 && plural(attempts, 'attempt')
  ]
  return element(
    'li',
    { className: kind },
    element('b', {}, operation),
    ' ',
    element('span', {}, details.filter(Boolean).join(' · '))
  )
}
