/**
 * `npm run robustness [-- --runs N] [--engine NAME[,NAME…]] [--seed S] [--at-once N]`: seeded runs of traffic with faults, judged against
 * the promises of the store's contract. With a seed and without a number it is that one run. Ends with `N runs, N violations`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mapLimit } from '../../electron/base/async.ts'
import { bundleHost } from './host/bundle.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import { type Engine, engineOf, ENGINES } from './run/engines.ts'
import { type RunResult, runOnce } from './run/run-once.ts'

const RUNS = 100
const SHOWN = 3

function usage(what: string): never {
  const planted = Object.entries(PLANTED_BUGS).map(([bug, { engine }]) => `${engine}:${bug}`)
  process.stderr.write(`error: ${what}\nnext: Engines are ${ENGINES.join(', ')}; with a planted bug ${planted.join(', ')}.\n`)
  process.exit(2)
}

function count(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(value) || value < 0) usage(`--${name} takes a whole number, not "${text}".`)
  return value
}

function report({ engine, seed, violations, file, requests, answered, revisions, milliseconds }: RunResult): void {
  if (violations.length === 0) return
  process.stdout.write(`VIOLATION engine ${engine} seed ${seed}: ${violations.length} found\n`)
  for (const { rule, message } of violations.slice(0, SHOWN)) process.stdout.write(`  ${rule}: ${message}\n`)
  process.stdout.write(`  ${requests} requests, ${answered} answered, ${revisions} revisions, ${milliseconds.toFixed(0)} ms\n`)
  process.stdout.write(`  history: ${file}\n  again: npm run robustness -- --engine ${engine} --seed ${seed}\n`)
}

async function main(): Promise<number> {
  const options = { runs: { type: 'string' }, engine: { type: 'string' }, seed: { type: 'string' }, 'at-once': { type: 'string' } } as const
  const { values } = parseArgs({ options })
  const seed = count('seed', values.seed, 1)
  const runs = count('runs', values.runs, values.seed === undefined ? RUNS : 1)
  const atOnce = count('at-once', values['at-once'], 2)
  const names = (values.engine ?? 'embedded').split(',')
  for (const name of names) {
    const engine = engineOf(name, '') ?? usage(`There is no engine ${name}.`)
    if (engine.lacks) usage(`The engine ${name} cannot be run here: it ${engine.lacks}.`)
  }
  const dir = mkdtempSync(join(tmpdir(), 'flotilla-robustness-host-'))
  try {
    const script = await bundleHost(dir)
    const engines = names.map((name) => engineOf(name, script)).filter((engine) => engine !== null)
    let done = 0
    let violations = 0
    await mapLimit(
      Array.from({ length: runs }, (_, i) => i),
      Math.max(1, atOnce),
      async (i) => {
        const result = await runOnce(engines[i % engines.length] as Engine, seed + i)
        report(result)
        violations += result.violations.length > 0 ? 1 : 0
        if (++done % 50 === 0 && done < runs) process.stderr.write(`${done} of ${runs} runs, ${violations} violations\n`)
      },
    )
    process.stdout.write(`${runs} runs, ${violations} violations\n`)
    return violations > 0 ? 1 : 0
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

process.exitCode = await main()
