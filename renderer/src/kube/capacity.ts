/** What the machines offer to pods, and what the pods have asked for. */
import type { MachineRow } from './machine-rows.ts'

export interface Use {
  readonly cpu: number
  readonly memory: number
  readonly pods: number
}

const NOTHING: Use = { cpu: 0, memory: 0, pods: 0 }

export interface Capacity {
  readonly total: Use
  readonly requested: Use
  /** Pods that have no node yet. */
  readonly waiting: number
  /** The most that any one machine which takes pods has left. */
  readonly mostFree: { readonly cpu: number; readonly memory: number }
}

/** `byNode`: what pods that hold a place have asked for. */
export function capacity(rows: readonly MachineRow[], byNode: ReadonlyMap<string, Use>, waiting: number): Capacity {
  let total = NOTHING
  let requested = NOTHING
  let mostFree = { cpu: 0, memory: 0 }
  for (const { name, allocatable, cordoned, tone } of rows) {
    if (!allocatable) continue
    const use = byNode.get(name) ?? NOTHING
    total = add(total, allocatable)
    requested = add(requested, use)
    if (cordoned || tone === 'err') continue
    mostFree = {
      cpu: Math.max(mostFree.cpu, allocatable.cpu - use.cpu),
      memory: Math.max(mostFree.memory, allocatable.memory - use.memory),
    }
  }
  return { total, requested, waiting, mostFree }
}

const add = (a: Use, b: Use): Use => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory, pods: a.pods + b.pods })
