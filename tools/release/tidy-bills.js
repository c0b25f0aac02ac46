'use strict'

// Cleans up the two bills of materials in a folder, and checks them against the CycloneDX schema and the licenses.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Spec, Validation } = require('@cyclonedx/cyclonedx-library')
const { name, napi } = require('../../package.json')

const root = path.join(__dirname, '..', '..')
const [folder] = process.argv.slice(2)

/** The crates that are compiled into the addons. The generated bill also lists crates behind disabled features. */
function compiledCrates() {
  const tree = ['tree', '--locked', '--package', name, '--edges', 'normal', '--prefix', 'none', '--format', '{p}']
  const lines = napi.targets.flatMap((target) =>
    execFileSync('cargo', [...tree, '--target', target], { cwd: root, encoding: 'utf8' }).split('\n')
  )
  return new Set(lines.map((line) => line.split(' ').slice(0, 2).join(' ')).filter(Boolean))
}

function tidyCrates(bill) {
  const compiled = compiledCrates()
  bill.components = bill.components.filter((crate) => compiled.has(`${crate.name} v${crate.version}`))
  const kept = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']))
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }))
  assert.equal(bill.components.length, compiled.size - 1, 'a crate is missing')
  // Removes the paths of this machine.
  return JSON.parse(JSON.stringify(bill).replaceAll(`file://${root}`, 'file://.'))
}

/** npm names the package after its folder. */
function tidyNpm(bill) {
  bill.metadata.component.name = name
  return bill
}

async function rewrite(file, tidy) {
  const place = path.join(folder, file)
  const bill = tidy(JSON.parse(fs.readFileSync(place, 'utf8')))
  const text = JSON.stringify(bill, null, 2)
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(text), null, file)
  fs.writeFileSync(place, text)
  return bill.components
}

async function main() {
  assert.deepEqual(await rewrite('npm.cdx.json', tidyNpm), [], 'the npm package has dependencies')
  const crates = await rewrite('crates.cdx.json', tidyCrates)
  const licenses = fs.readFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
  const unlicensed = crates.filter((crate) => !licenses.includes(`\n  ${crate.name} ${crate.version}`))
  assert.deepEqual(unlicensed, [], 'crates without a license')
  console.log(`The addons have ${crates.length} crates.`)
}

main()
