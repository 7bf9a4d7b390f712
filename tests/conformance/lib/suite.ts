/** Finds the behaviours' tests and runs rows on a cluster. */
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { createContext, type Behaviour, type Behaviours } from './behaviour.ts'
import type { Cluster } from './cluster.ts'
import { runsAlone, timeLimit, type Row } from './rows.ts'

export interface Outcome {
  readonly row: Row
  readonly passed: boolean
  readonly milliseconds: number
  /** Why not: what was thrown, or that the row has no test. */
  readonly why: string
}

/** Rows that run side by side. */
const AT_ONCE = 4

/** Every test by its row's id. Throws on an id that is no row's, or that two tests have. */
export async function loadBehaviours(rows: readonly Row[]): Promise<Map<string, Behaviour>> {
  const dir = join(import.meta.dirname, '../behaviours')
  const known = new Set(rows.map((row) => row.id))
  const found = new Map<string, Behaviour>()
  for (const file of (await Array.fromAsync(glob('**/*.ts', { cwd: dir }))).sort()) {
    const module = (await import(join(dir, file))) as { behaviours: Behaviours }
    for (const [id, behaviour] of Object.entries(module.behaviours)) {
      if (!known.has(id)) throw new Error(`${file}: behaviours.tsv has no row ${id}`)
      if (found.has(id)) throw new Error(`${file}: ${id} has a test already`)
      found.set(id, behaviour)
    }
  }
  return found
}

/** Runs each row's test; a row without one has failed. `report` is called as each ends. `limit` is in milliseconds. */
export async function runRows(
  rows: readonly Row[],
  behaviours: ReadonlyMap<string, Behaviour>,
  cluster: Cluster,
  report: (outcome: Outcome) => void,
  limit: (row: Row) => number = timeLimit,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const runOne = async (row: Row) => {
    const outcome = await runRow(row, behaviours.get(row.id), cluster, limit(row))
    outcomes.push(outcome)
    report(outcome)
  }
  const together = rows.filter((row) => !runsAlone(row))
  const worker = async () => {
    for (let row = together.shift(); row; row = together.shift()) await runOne(row)
  }
  const alone = rows.filter(runsAlone)
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  for (const row of alone) await runOne(row)
  return outcomes
}

async function runRow(row: Row, behaviour: Behaviour | undefined, cluster: Cluster, limit: number): Promise<Outcome> {
  const started = performance.now()
  const outcome = (passed: boolean, why: string): Outcome => ({ row, passed, why, milliseconds: Math.round(performance.now() - started) })
  if (!behaviour) return outcome(false, 'it has no test')
  const stack = new AsyncDisposableStack()
  try {
    const signal = AbortSignal.timeout(limit)
    await behaviour(await createContext(cluster, row.id, stack, signal))
    return outcome(true, '')
  } catch (error) {
    return outcome(false, error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await stack.disposeAsync().catch((error: unknown) => console.error(`${row.id}: not cleaned up:`, error))
  }
}
