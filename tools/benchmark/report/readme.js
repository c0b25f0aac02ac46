'use strict'

const ORIGINALS = ['connect-dynamodb', 'pwrdrvr', 'dynamodb-store', 'koa-session-dynamodb-store']

const rounded = (figure) => Number(figure.toPrecision(3)).toLocaleString('en-US')

/** What the README shows of a full run. */
function readmePart(results) {
  const wanted = { server: 'http', operation: 'get', size: 2048, inFlight: 64 }
  const isWanted = (cell) => Object.entries(wanted).every(([name, value]) => cell[name] === value)
  const { contenders } = results.calls.cells.find(isWanted)
  const ours = contenders['dynamodb-session']
  const originals = ORIGINALS.map((name) => contenders[name]).filter(Boolean)
  const rangeOf = (name) => {
    const figures = originals.map((original) => original[name][0])
    return `${rounded(Math.min(...figures))} to ${rounded(Math.max(...figures))}`
  }
  return `![Gets per second of this store, other DynamoDB stores, and MemoryStore](tools/benchmark/results/get.svg)

With 2 KB sessions and 64 requests in flight, one process reads ${rounded(ours.opsPerSecond[0])} sessions per second and
spends ${rounded(ours.main[0])} µs of main-thread CPU time on each. The other DynamoDB stores read ${rangeOf('opsPerSecond')} and spend
${rangeOf('main')} µs. The server runs in memory on the same machine, so only the ratios apply elsewhere: see the
[benchmark report](tools/benchmark/results/report.md).`
}

module.exports = { readmePart }
