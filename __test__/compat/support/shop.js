'use strict'

/** Runs the shop of this process. The parent process sends the settings, and the shop sends its URL back. */
function openShop(start) {
  process.once('disconnect', () => process.exit())
  process.once('message', async (settings) => {
    const { url } = await start(settings)
    process.send(url)
  })
}

module.exports = { openShop }
