// @ts-check
/** `npm run check`: everything that can be known without running the program. Prints a line a step and all that failed. */
import { ensurePackages, projectNode, run, say } from './lib.mjs'

await ensurePackages()

/** @type {[name: string, command: string, args: string[]][]} */
const STEPS = [
  ['format', 'prettier', ['--check', '--log-level=warn', '--cache', '--cache-location=.cache/prettier', '.']],
  ['lint', 'oxlint', ['--type-aware']],
  ['lint of the UI', 'eslint', ['--cache', '--cache-location=.cache/eslint', 'renderer']],
  ['layers', 'depcruise', ['electron', 'renderer', 'scripts', '--output-type', 'err']],
  ['types: node', projectNode(), ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.node.json']],
  ['types: agent', projectNode(), ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.agent.json']],
  ['types: web', 'vue-tsc', ['-p', 'tsconfig.web.json']],
  ['dead code', 'knip', ['--no-progress']],
  ['generated files', projectNode(), ['scripts/generate/index.ts', '--check']],
]

const only = process.argv.slice(2)
const wanted = only.length ? STEPS.filter(([name]) => only.some((o) => name.includes(o))) : STEPS
let failed = 0
const queue = [...wanted]
const worker = async () => {
  for (let step = queue.shift(); step; step = queue.shift()) {
    const [name, command, args] = step
    const started = performance.now()
    const { code, output } = await run(command, args, { quiet: true })
    say(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(18)} ${((performance.now() - started) / 1000).toFixed(1)} s`)
    if (code === 0) continue
    failed++
    say(output.trimEnd().replace(/^/gm, '     '))
  }
}
await Promise.all([worker(), worker()])
say(failed ? `${failed} of ${wanted.length} steps failed` : `${wanted.length} steps passed`)
process.exitCode = failed ? 1 : 0
