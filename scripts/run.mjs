// @ts-check
/** `npm run flotilla|bench|conformance|robustness|fuzz|build|generate|package`: sets up what is missing, then runs the thing on the project's Node. */
import { join } from 'node:path'
import { ensurePackages, become, fail, projectNode, ROOT, run } from './lib.mjs'

/** @type {Record<string, string>} */
const SCRIPTS = {
  flotilla: 'electron/headless/flotilla.ts',
  bench: 'bench/run.ts',
  conformance: 'tests/conformance/run.ts',
  robustness: 'tests/robustness/run.ts',
  fuzz: 'tests/fuzz/run.ts',
  build: 'scripts/build.ts',
  generate: 'scripts/generate/index.ts',
  package: 'scripts/package.ts',
}

const [what = '', ...args] = process.argv.slice(2)
const script = SCRIPTS[what]
if (!script)
  fail({ what: `There is nothing called "${what}" to run.`, next: `Choose one of: ${Object.keys(SCRIPTS).join(', ')}.`, code: 2 })
await ensurePackages()
if (what === 'conformance') await run(projectNode(), [join(ROOT, 'scripts/kubectl.ts')])
become([join(ROOT, script), ...args])
