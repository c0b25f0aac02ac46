'use strict'

/** An HTTP client of one app that keeps cookies like a browser. */
class Browser {
  cookies = new Map()

  constructor(url) {
    this.url = url
  }

  get(path) {
    return this.request('GET', path)
  }

  post(path) {
    return this.request('POST', path)
  }

  async request(method, path, json) {
    const headers = { cookie: this.#cookieHeader(), ...(json && { 'content-type': 'application/json' }) }
    const response = await fetch(this.url + path, { method, headers, ...(json && { body: JSON.stringify(json) }) })
    const setCookies = response.headers.getSetCookie()
    setCookies.forEach((text) => this.#keep(text))
    const text = await response.text()
    return { status: response.status, body: text && JSON.parse(text), setCookies }
  }

  /** Another browser with the same cookies, for the same app or another one. */
  copy(url = this.url) {
    const browser = new Browser(url)
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
