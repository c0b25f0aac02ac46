'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const { root } = require('./child')

// The package has Chromium for Linux on x64 with glibc, the libraries that a server may lack, and a font.
const isPackaged = process.arch === 'x64' && fs.existsSync('/lib64/ld-linux-x86-64.so.2')
const installed = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
].find((file) => file && fs.existsSync(file))
const hasChromium = isPackaged || Boolean(installed)

const { version } = require('../../package-lock.json').packages['node_modules/@sparticuz/chromium']
const unpacked = path.join(root, 'target', `chromium-${version}`)

// The files for Amazon Linux 2023, which the package unpacks only there, run on all distributions.
const UNPACK = "require('@sparticuz/chromium').executablePath()"
const ENV = { AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' }

/** Unpacks Chromium once into `target/`, and resolves to the options that start it. */
async function findChromium() {
  if (process.env.CHROMIUM || !isPackaged) return { executablePath: installed }
  if (!fs.existsSync(unpacked)) await unpack()
  const fonts = path.join(unpacked, 'fonts.conf')
  const env = { ...process.env, LD_LIBRARY_PATH: path.join(unpacked, 'al2023', 'lib'), FONTCONFIG_FILE: fonts }
  return { executablePath: path.join(unpacked, 'chromium'), env }
}

async function unpack() {
  fs.mkdirSync(path.dirname(unpacked), { recursive: true })
  const folder = fs.mkdtempSync(`${unpacked}-`)
  await promisify(execFile)(process.execPath, ['-e', UNPACK], {
    cwd: root,
    env: { ...process.env, ...ENV, TMPDIR: folder }
  })
  fs.writeFileSync(path.join(folder, 'fonts.conf'), fontConfiguration)
  try {
    fs.renameSync(folder, unpacked)
  } catch (error) {
    // Another process was faster.
    if (!fs.existsSync(unpacked)) throw error
    fs.rmSync(folder, { recursive: true })
  }
}

const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${path.join(unpacked, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${path.join(unpacked, 'font-cache')}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`

module.exports = { findChromium, hasChromium }
