'use strict'

/** A table description from the completion of an operation, with the table's time to live if the service reports it. */
function tableDescription({ text }) {
  const [table, timeToLive] = JSON.parse(text)
  return { ...parseResponse(table).Table, ...(timeToLive === null ? {} : JSON.parse(timeToLive)) }
}

/** A response of the service with its times as Dates. */
function parseResponse(text) {
  return JSON.parse(text, (name, value) => (name.endsWith('DateTime') ? new Date(value * 1000) : value))
}

module.exports = { parseResponse, tableDescription }
