export const $ = (selector) => document.querySelector(selector)

/** All text enters the page through this function or textContent, so that no text can inject markup. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** An SVG element: attributes instead of properties. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const name in attributes) made.setAttribute(name, attributes[name])
  made.append(...children)
  return made
}

/** Reports the result of an action to screen readers. */
export function announce(text) {
  $('#status').textContent = text
}

export const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`
export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
export const dollars = (amount) => `$${amount.toFixed(2)}`
export const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}\u00a0ms`

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
