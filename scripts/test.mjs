// @ts-check
/**
 * `npm test [-- SUITE …]`: sets up what is missing, installs Debian packages where it may, runs every suite, and ends with
 * `N passed, N failed, N skipped`. A skip names what is missing.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, ensurePackages, FOR_SANDBOX, installDebian, mayInstall, missingDebian, projectNode, ROOT, run, say } from './lib.mjs'

/** @typedef {keyof typeof import('./lib.mjs').DEBIAN} Package */

/**
 * Suites are vitest projects; those with `root` make namespaces or mounts. One that mostly waits runs `beside` the others, and is shown
 * when it ends. @type {{ name: string, packages?: Package[], root?: boolean, beside?: boolean }[]}
 */
const SUITES = [
  { name: 'tooling' },
  { name: 'unit' },
  { name: 'renderer' },
  { name: 'store', packages: ['etcd-server', 'etcd-client'], beside: true },
  { name: 'robustness', packages: ['etcd-server', 'gcc', 'libc6-dev'] },
  { name: 'api' },
  { name: 'api-security' },
  { name: 'kubectl' },
  { name: 'clients', packages: ['python3-kubernetes'] },
  { name: 'fuzz' },
  { name: 'simulation' },
  { name: 'properties' },
  { name: 'ui', packages: ['chromium'] },
  { name: 'shell', packages: ['chromium'] },
  { name: 'agent', packages: FOR_SANDBOX, root: true },
  { name: 'net', packages: FOR_SANDBOX, root: true },
  { name: 'packaging' },
  { name: 'hosts', packages: [...FOR_SANDBOX, 'mmdebstrap'], root: true },
  { name: 'laptop', packages: FOR_SANDBOX, root: true },
  { name: 'vm', packages: ['qemu-system-x86', 'qemu-utils', 'mmdebstrap', 'e2fsprogs', 'openssh-client', 'busybox-static'] },
  { name: 'conformance' },
  { name: 'e2e', packages: [...FOR_SANDBOX, 'chromium', 'mmdebstrap', 'docker-registry'], root: true },
]

const started = performance.now()
await ensurePackages()
const asked = process.argv.slice(2)
const suites = SUITES.filter((suite) => (asked.length === 0 || asked.includes(suite.name)) && existsSync(join(ROOT, suiteDir(suite.name))))
const packages = [...new Set(suites.flatMap((suite) => suite.packages ?? []))]
const missing = missingDebian(packages)
if (missing.length && mayInstall()) {
  const why = await installDebian(missing)
  if (why) say(why)
}
for (const script of ['build.ts', 'kubectl.ts']) {
  const { code } = await run(projectNode(), [join(ROOT, 'scripts', script)])
  if (code !== 0) process.exit(code)
}

const total = { passed: 0, failed: 0, skipped: 0 }
/** @type {string[]} */
const remarks = []
/** @type {Promise<void>[]} */
const beside = []
for (const suite of suites.toSorted((a, b) => Number(b.beside ?? false) - Number(a.beside ?? false))) {
  const lacks = missingDebian(suite.packages ?? [])
  const why = lacks.length ? `needs ${lacks.join(', ')}` : suite.root && process.getuid?.() !== 0 ? 'needs root' : null
  if (why) {
    total.skipped++
    remarks.push(`skipped ${suite.name}: ${why}`)
    continue
  }
  if (suite.beside) beside.push(runSuite(suite.name, true))
  else await runSuite(suite.name)
}
await Promise.all(beside)
for (const remark of remarks) say(remark)
say(`in ${((performance.now() - started) / 60_000).toFixed(1)} min`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed ? 1 : 0

/** @param {string} name */
function suiteDir(name) {
  if (name === 'unit') return 'electron'
  return name === 'renderer' ? 'renderer' : `tests/${name}`
}

/**
 * @param {string} name
 * @param {boolean} [beside]
 */
async function runSuite(name, beside = false) {
  const report = join(cacheDir('test'), `${name}.json`)
  rmSync(report, { force: true })
  const args = ['run', '--project', name, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { code, output } = await run('vitest', args, { env: { FLOTILLA_TEST: '1' }, quiet: beside })
  if (output) process.stdout.write(output)
  if (!existsSync(report)) {
    total.failed++
    remarks.push(`failed ${name}: the suite did not finish (exit code ${code})`)
    return
  }
  const result = JSON.parse(readFileSync(report, 'utf8'))
  total.passed += result.numPassedTests
  total.failed += result.numFailedTests
  total.skipped += result.numPendingTests
  const broken = result.testResults.filter((/** @type {any} */ file) => file.status === 'failed' && file.assertionResults.length === 0)
  total.failed += broken.length
  for (const file of broken) remarks.push(`failed ${name}: ${file.name.replace(`${ROOT}/`, '')} could not be loaded`)
  for (const file of result.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') remarks.push(`failed ${name}: ${test.fullName}`)
      if (test.status === 'pending' || test.status === 'skipped') remarks.push(`skipped ${name}: ${test.fullName}`)
    }
  }
  if (code !== 0 && result.numFailedTests === 0 && broken.length === 0) {
    total.failed++
    remarks.push(`failed ${name}: errors outside of tests, see above`)
  }
}
