// @ts-check
/**
 * Completes package-lock.json after a dependency changed: `node scripts/complete-lock.mjs`.
 *
 * A registry mirror may lack the binaries of platforms nobody used it from; npm then leaves them out of the lock file, and
 * `npm ci` refuses the lock everywhere. Every optional dependency that a locked package names with an exact version is a fact
 * of that package, so its entry is written here, without a checksum, for the platform that its name tells.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const OS = {
  darwin: 'darwin',
  linux: 'linux',
  win32: 'win32',
  windows: 'win32',
  freebsd: 'freebsd',
  android: 'android',
  openharmony: 'openharmony',
}
const CPU = {
  arm64: 'arm64',
  aarch64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  arm: 'arm',
  armv7: 'arm',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasm32: 'wasm32',
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const packages = lock.packages
let added = 0
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (path === '' || !/^\d+\.\d+\.\d+/.test(version)) continue
    const beside = `${path.slice(0, path.lastIndexOf('node_modules/'))}node_modules/${name}`
    const places = [`node_modules/${name}`, beside, `${path}/node_modules/${name}`]
    if (places.some((place) => packages[place]?.version === version)) continue
    const place = places.find((candidate) => !packages[candidate])
    if (!place) continue
    const parts = name.split(/[-/]/)
    const os = parts.map((p) => OS[/** @type {keyof typeof OS} */ (p)]).find(Boolean)
    const cpu = parts.map((p) => CPU[/** @type {keyof typeof CPU} */ (p)]).find(Boolean)
    packages[place] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(os ? { os: [os] } : {}),
    }
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
process.stderr.write(`${added} entries added\n`)
