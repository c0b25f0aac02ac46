'use strict'

/** Serializes plain data to JSON. A `toJSON` that a library adds to a prototype has no effect. */
function plainJson(value) {
  if (Array.isArray(value)) return `[${value.map(plainJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${plainJson(member)}`).join(',')}}`
}

module.exports = { plainJson }
