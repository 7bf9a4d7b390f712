import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a row needs to be proved: an API server with controllers, one real node, or two. */
export type Needs = 'api' | 'node' | 'nodes'

export interface Row {
  readonly id: string
  readonly sig: string
  readonly area: string
  readonly behaviour: string
  readonly release: string
  readonly needs: Needs
}

const dir = join(import.meta.dirname, '..')

/** All rows of `behaviours.tsv` with what `needs.tsv` says of them, in their order. */
export function readRows(): Row[] {
  const needs = new Map(table('needs.tsv').map(([id = '', need]) => [id, need as Needs]))
  return table('behaviours.tsv').map(([id = '', sig = '', area = '', behaviour = '', release = '']) => {
    const need = needs.get(id)
    if (!need) throw new Error(`needs.tsv has no row ${id}`)
    return { id, sig, area, behaviour, release, needs: need }
  })
}

function table(file: string): string[][] {
  const [, ...lines] = readFileSync(join(dir, file), 'utf8').trimEnd().split('\n')
  return lines.map((line) => line.split('\t'))
}

/** Rows that disturb what others see: they run one at a time, after the rest. */
export function runsAlone(row: Row): boolean {
  if (['gc-rc-foreground', 'gc-rc-orphan', 'gc-two-owners', 'emptydir-wrapper-configmap-race'].includes(row.id)) return true
  if (row.area === 'Namespace') return row.id !== 'namespace-ordered-deletion'
  return ['DaemonSet', 'ControllerRevision', 'Taint', 'Scheduler', 'Preemption', 'PriorityClass'].includes(row.area)
}

const SLOW = new Set([
  'list-chunking-compacted',
  'cronjob-suspend',
  'cronjob-forbid-concurrent',
  'statefulset-burst-scaling',
  'statefulset-scale-ordered',
  'subpathexpr-recover-from-failure',
])

/** It takes minutes by what it says, so that only `npm run conformance` runs it. */
export function isSlow(row: Row): boolean {
  return SLOW.has(row.id)
}

/** In milliseconds. */
export function timeLimit(row: Row): number {
  return isSlow(row) ? 15 * 60_000 : 5 * 60_000
}
