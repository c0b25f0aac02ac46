'use strict'

/** An HTTP client of one app that keeps cookies like a browser. It does not follow redirects. */
class Browser {
  cookies = new Map()

  constructor(url, headers = {}) {
    this.url = url
    this.headers = headers
  }

  get(path) {
    return this.request('GET', path)
  }

  post(path) {
    return this.request('POST', path)
  }

  request(method, path, json) {
    if (!json) return this.#send(method, path)
    return this.#send(method, path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) })
  }

  /** Submits a form of a page at the given origin. A FormData is sent as multipart/form-data. */
  submit(path, fields, origin = this.url) {
    const body = fields instanceof FormData ? fields : new URLSearchParams(fields)
    return this.#send('POST', path, { headers: { origin }, body })
  }

  async #send(method, path, content) {
    const headers = { cookie: this.#cookieHeader(), ...this.headers, ...content?.headers }
    const response = await fetch(this.url + path, { ...content, method, headers, redirect: 'manual' })
    const setCookies = response.headers.getSetCookie()
    setCookies.forEach((text) => this.#keep(text))
    const text = await response.text()
    const isText = response.headers.get('content-type')?.startsWith('text/')
    return { status: response.status, body: text && !isText ? JSON.parse(text) : text, setCookies }
  }

  /** Another browser with the same cookies, for the same app or another one. */
  copy(url = this.url) {
    const browser = new Browser(url, this.headers)
    browser.cookies = new Map(this.cookies)
    return browser
  }

  #cookieHeader() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(text) {
    const [pair, ...attributes] = text.split(/; */)
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    const expires = attributes.find((attribute) => /^expires=/i.test(attribute))
    if (expires && Date.parse(expires.slice(8)) <= Date.now()) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

module.exports = { Browser }
