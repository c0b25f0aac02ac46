'use strict'

require('zone.js/node')
const { entries, exercise } = require('./exercise')

/** Each change of whether the zone has pending timers, which Angular's testability waits for. */
const tasks = []
const zone = Zone.current.fork({
  name: 'app',
  onHasTask: (_delegate, _current, _target, { change, macroTask }) => change === 'macroTask' && tasks.push(macroTask)
})

async function run() {
  for (const entry of entries) zone.run(() => entry.load())
  const results = {}
  for (const entry of entries) results[entry.name] = await zone.run(() => exercise(entry))
  console.log(JSON.stringify({ results, tasks }))
}

run()
