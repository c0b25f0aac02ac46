'use strict'

/** Opens the shop of this process: its parent says what to serve, it answers where, and it ends with its parent. */
function openShop(start) {
  process.once('disconnect', () => process.exit())
  process.once('message', async (settings) => {
    const { url } = await start(settings)
    process.send(url)
  })
}

module.exports = { openShop }
