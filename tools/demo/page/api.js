import { sum } from './dom.js'

export const OURS = 'dynamodb-session'
export const THEIRS = 'connect-dynamodb'
export const STORES = [OURS, THEIRS]

/** What went wrong: `status` is that of the response, or 0 if the demo does not respond. */
export class RequestError extends Error {
  constructor({ code, message }, status) {
    super(message)
    Object.assign(this, { code, status })
  }
}

export const get = (path) => request(path)

export function post(path, body = {}) {
  const headers = { 'content-type': 'application/json' }
  return request(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function request(path, options) {
  const response = await fetch(path, options).catch(throwNotRunning)
  const body = await response.json().catch(throwNotRunning)
  const click = response.headers.get('x-click')
  if (response.ok) return { ...body, click }
  throw Object.assign(new RequestError(body.error, response.status), { click })
}

function throwNotRunning() {
  throw new RequestError({ message: 'The demo is not running. Start it with `npm run demo`.' }, 0)
}

/** The requests that each of the clicks sent to DynamoDB. */
export async function requestsOf(clicks) {
  return (await get(`/requests/${clicks}`)).requests
}

/**
 * Sends one click to the shop of each store, and resolves to `{ store, session, error, requests }` for each. One store waits
 * for the other, because they would slow each other down.
 */
export async function clickBoth(send) {
  const results = []
  for (const store of STORES) {
    const result = await send(`/shops/${store}`).catch((error) => ({ error, click: error.click }))
    if (result.error?.status === 0) throw result.error
    results.push({ store, ...result })
  }
  const requests = await requestsOf(results.map(({ click }) => click))
  return results.map((result, index) => ({ ...result, requests: requests[index] }))
}

const isRead = ({ operation }) => /^(Get|Query|Scan|Describe)/.test(operation)

/** Prices of a million request units in US dollars; the bill names the Region and the date. */
let prices = { read: 0, write: 0 }
export const setPrices = (current) => (prices = current)

/** The price of a million times these requests. */
export const priceOf = (requests) =>
  sum(requests.map((request) => (request.capacityUnits ?? 0) * (isRead(request) ? prices.read : prices.write)))

export { isRead }
