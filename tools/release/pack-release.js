'use strict'

// Packs the packages of a release: the main package, a package for each platform with its addon and the licenses, and the
// packages in `packages`.
//   node tools/release/pack-release.js <folder with the addons> <output folder of bill-of-materials.sh> <folder for the tarballs>

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const { NapiCli } = require('@napi-rs/cli')
const { extraPackages } = require('./extra-packages')

const run = promisify(execFile)
const root = path.join(__dirname, '..', '..')
const licenses = ['LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-LICENSES.txt']

async function packRelease(addons, bill, output, extras = extraPackages()) {
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-release-'))
  try {
    fs.mkdirSync(output, { recursive: true })
    const folders = await makePackages(stage, path.resolve(addons), bill)
    const copies = extras.map((folder) => copyExtra(folder, path.join(stage, 'packages', path.basename(folder))))
    await npmPack([...folders, ...copies], output)
  } finally {
    fs.rmSync(stage, { recursive: true, force: true })
  }
}

/** Works on a copy, because napi changes package.json and puts addons next to it. */
async function makePackages(stage, addons, bill) {
  await npmPack([root], stage)
  await run('tar', ['-xzf', fs.readdirSync(stage)[0]], { cwd: stage })
  const cwd = path.join(stage, 'package')
  edit(cwd, (manifest) => (manifest.repository ??= repository()))

  const napi = new NapiCli()
  await napi.createNpmDirs({ cwd })
  await napi.artifacts({ cwd, outputDir: addons })
  await napi.prePublish({ cwd, skipOptionalPublish: true, ghRelease: false })

  const npm = path.join(cwd, 'npm')
  const platforms = fs.readdirSync(npm).map((platform) => path.join(npm, platform))
  for (const folder of platforms) {
    for (const file of licenses) {
      fs.copyFileSync(path.join(file.startsWith('THIRD') ? bill : root, file), path.join(folder, file))
    }
    edit(folder, (manifest) => manifest.files.push(...licenses))
  }
  return [cwd, ...platforms]
}

/** A copy of a package, with the licenses and the repository. */
function copyExtra(folder, copy) {
  fs.cpSync(folder, copy, { recursive: true, filter: (file) => path.basename(file) !== 'node_modules' })
  const own = licenses.filter((file) => !file.startsWith('THIRD'))
  for (const file of own) fs.copyFileSync(path.join(root, file), path.join(copy, file))
  edit(copy, (manifest) => {
    manifest.repository ??= repository()
    manifest.files?.push(...own)
  })
  return copy
}

/** npm provenance requires the repository that builds the release. */
function repository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  return name && { type: 'git', url: `git+${server}/${name}.git` }
}

function edit(folder, change) {
  const file = path.join(folder, 'package.json')
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'))
  change(manifest)
  fs.writeFileSync(file, JSON.stringify(manifest, null, 2))
}

function npmPack(folders, output) {
  const options = ['--ignore-scripts', '--pack-destination', path.resolve(output)]
  return run('npm', ['pack', ...options, ...folders], { shell: process.platform === 'win32' })
}

if (require.main === module) packRelease(...process.argv.slice(2))

module.exports = { packRelease }
