// @ts-check
/**
 * `npm start [-- --yes]`: from a fresh clone, sets everything up and runs the app: under Electron where its runtime and a display can
 * be had, else the same app in a browser. `npm start -- --help` lists what else it takes.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { become, ensurePackages, fail, FOR_SANDBOX, installDebian, mayInstall, missingDebian, projectNode, ROOT, run, say } from './lib.mjs'

const HELP = `npm start -- [options]

  --yes            ask nothing: install what is missing and make a node on this computer
  --state DIR      state folder (default: FLOTILLA_STATE, else the user's own)
  --port N         port of the API server
  --ui-port N      port of the UI in the browser
  --browser        use the browser even where Electron could run
  --no-node        do not make a node on this computer
  --help           show this`

const args = process.argv.slice(2)
if (args.includes('--help')) {
  process.stdout.write(`${HELP}\n`)
  process.exit(0)
}
const yes = args.includes('--yes')
const value = (/** @type {string} */ name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)

await ensurePackages()
await ensureSystem()
const built = await run(projectNode(), [join(ROOT, 'scripts/build.ts')])
if (built.code !== 0) process.exit(built.code)

const lack = args.includes('--browser') ? 'The browser was asked for.' : await whyNoElectron()
const passed = ['--state', '--port', '--ui-port'].flatMap((name) => {
  const given = value(name)
  return given === undefined ? [] : [name, given]
})
const sandbox = process.platform === 'linux' && process.getuid?.() === 0 && missingDebian(FOR_SANDBOX).length === 0
const nodes = sandbox && yes && !args.includes('--no-node') ? '1' : '0'
if (lack === null) {
  const state = value('--state')
  become([join(ROOT, 'node_modules/electron/cli.js'), ROOT, `--nodes=${nodes}`, ...(state ? [`--state=${state}`] : [])])
} else {
  say(`${lack} Serving the same app to a browser.`)
  if (!sandbox && yes)
    say('No node is made on this computer (it needs Linux, root and the packages above); add machines over SSH in the app.')
  const entry = join(ROOT, 'out/main/flotilla.js')
  become(['--enable-source-maps', entry, 'up', '--nodes', nodes, '--ui', '--yes', ...passed])
}

/** What a node on this computer needs from the system. */
async function ensureSystem() {
  if (process.platform !== 'linux' || args.includes('--no-node')) return
  const missing = missingDebian(FOR_SANDBOX)
  if (!missing.length) return
  const list = missing.join(' ')
  if (!mayInstall())
    return say(`For a node on this computer these packages are missing: ${list}. Install them as root: apt-get install ${list}`)
  if (!yes) {
    if (!process.stdin.isTTY) return say(`Missing for a node on this computer: ${list}. Start with --yes to install them.`)
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await lines.question(`A node on this computer needs ${list}. Install them? [Y/n] `)
    lines.close()
    if (/^n/i.test(answer.trim())) return
  }
  const why = await installDebian(missing)
  if (why) fail({ what: 'The Debian packages could not be installed.', why, next: `Install them by hand: apt-get install ${list}` })
}

/** Null if Electron can run here; else a sentence that says what is missing. */
async function whyNoElectron() {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY'])
    return 'There is no display for a desktop window.'
  if (existsSync(join(ROOT, 'node_modules/electron/path.txt'))) return null
  const { code } = await run(projectNode(), [join(ROOT, 'node_modules/electron/install.js')], { quiet: true })
  return code === 0 && existsSync(join(ROOT, 'node_modules/electron/path.txt')) ? null : 'Electron’s runtime cannot be fetched here.'
}
