'use strict'

const { createHash } = require('node:crypto')

const style = `
  :root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --line: #dfe3e8; --text: #1b2228; --soft: #5a6570;
    --accent: #1f5d86; --on-accent: #fff; --badge: #e2f2e8; --on-badge: #1b6e42; --danger: #a82a22 }
  @media (prefers-color-scheme: dark) {
    :root { --page: #13171b; --card: #1c2126; --line: #333a42; --text: #e7ebef; --soft: #a4aeb8;
      --accent: #7cb8e0; --on-accent: #0d2230; --badge: #1b3b2a; --on-badge: #86d9ab; --danger: #ff9c93 }
  }
  * { box-sizing: border-box }
  body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
  main { max-width: 34rem; margin: 0 auto; padding: 2rem 1rem 3rem }
  h1 { margin: 0; font-size: 1.6rem; line-height: 1.25 }
  p { margin: .25rem 0 1.25rem; color: var(--soft); overflow-wrap: anywhere }
  ul { list-style: none; margin: 0 0 1.25rem; padding: 0; background: var(--card);
    border: 1px solid var(--line); border-radius: 14px }
  li { display: flex; align-items: center; gap: 1rem; padding: .9rem 1rem }
  li + li { border-top: 1px solid var(--line) }
  li div { flex: 1; min-width: 0; overflow-wrap: anywhere }
  b { font-weight: 600 }
  small { display: block; color: var(--soft); font-size: .875rem }
  .badge { padding: .05rem .55rem; border-radius: 99px; background: var(--badge); color: var(--on-badge);
    font-size: .8rem; font-weight: 600; white-space: nowrap }
  label { display: block; margin-bottom: .3rem; font-weight: 600 }
  input, button { min-height: 44px; padding: .5rem 1rem; font: inherit; border-radius: 10px }
  input { width: 100%; margin-bottom: 1rem; color: inherit; background: var(--card); border: 1px solid var(--soft) }
  button { font-weight: 600; color: var(--text); background: none; border: 1px solid var(--line); cursor: pointer;
    white-space: nowrap }
  button.wide { width: 100% }
  button.main { color: var(--on-accent); background: var(--accent); border-color: var(--accent) }
  button.danger { color: var(--danger); background: var(--card) }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`

// Allows no scripts, only this style, and no frames: a page of another site cannot hide this page under its own buttons.
const styleHash = createHash('sha256').update(style).digest('base64')
const contentSecurityPolicy =
  `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; ` +
  "frame-ancestors 'none'; base-uri 'none'"

const loginPage = (message = 'Log in from several browsers to see them all.') =>
  page(
    'Log in',
    `<p>${escape(message)}</p>
    ${form(
      '/login',
      `<label for="user">Your name</label>
      <input id="user" name="user" maxlength="100" autocomplete="username" required autofocus>
      <button class="main wide">Log in</button>`
    )}`
  )

const devicesPage = (user, [current, ...others]) =>
  page(
    'Your devices',
    `<p>Logged in as ${escape(user)}</p>
    <ul>
      ${row(current, '<span class="badge">This device</span>', form('/logout', '<button>Log out</button>'))}
      ${others.map((other) => row(other, '', logoutForm(other))).join('')}
    </ul>
    ${others.length > 0 ? form('/logout/others', '<button class="danger wide">Log out everywhere else</button>') : ''}`
  )

const row = ({ userAgent, since }, badge, form) => `
      <li>
        <div><b>${escape(nameOf(userAgent))}</b> ${badge}<small>Logged in ${timeOf(since)}</small></div>
        ${form}
      </li>`

const logoutForm = ({ device }) =>
  form('/logout/device', `<button name="device" value="${escape(device)}">Log out</button>`)

const form = (action, content) => `<form method="post" action="${action}">${content}</form>`

const page = (title, body) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
    <h1>${title}</h1>
    ${body}
    </main>
  </body>
</html>
`

/** Text in HTML. User names and user agents can be anything. */
function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

// Chrome's user agent also contains Safari, and Edge's contains Chrome, so the order matters.
const browsers = {
  Firefox: /Firefox|FxiOS/,
  Edge: /Edg/,
  Opera: /OPR/,
  'Samsung Internet': /SamsungBrowser/,
  Chrome: /Chrome|CriOS/,
  Safari: /Safari/
}
const systems = {
  iPhone: /iPhone/,
  iPad: /iPad/,
  Android: /Android/,
  Windows: /Windows/,
  ChromeOS: /CrOS/,
  Mac: /Mac OS X/,
  Linux: /Linux/
}

/** The browser and the system in a user agent, or the start of an unknown one. */
function nameOf(userAgent) {
  const [browser, system] = [browsers, systems].map((names) =>
    Object.keys(names).find((name) => names[name].test(userAgent))
  )
  return browser && system ? `${browser} on ${system}` : userAgent.slice(0, 60) || 'Unknown device'
}

const format = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

const timeOf = (since) => `<time datetime="${new Date(since).toISOString()}">${format.format(since)} UTC</time>`

module.exports = { contentSecurityPolicy, devicesPage, loginPage }
