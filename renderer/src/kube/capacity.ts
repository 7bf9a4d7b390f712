/** What the machines offer to pods, and what the pods have asked for. */
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { MachineRow } from './machine-rows.ts'
import { isOver, podRequests } from './pod-status.ts'

export interface Use {
  readonly cpu: number
  readonly memory: number
  readonly pods: number
}

const NOTHING: Use = { cpu: 0, memory: 0, pods: 0 }

/** Requests of the pods that hold a place, by node. */
export function requestsByNode(pods: readonly Pod[]): ReadonlyMap<string, Use> {
  const byNode = new Map<string, { cpu: number; memory: number; pods: number }>()
  for (const pod of pods) {
    const node = pod.spec.nodeName
    if (!node || isOver(pod)) continue
    const asked = requestsOf(pod)
    const use = byNode.get(node)
    if (use) {
      use.cpu += asked.cpu
      use.memory += asked.memory
      use.pods++
    } else byNode.set(node, { ...asked, pods: 1 })
  }
  return byNode
}

const known = new WeakMap<Pod, { cpu: number; memory: number }>()
function requestsOf(pod: Pod): { cpu: number; memory: number } {
  let asked = known.get(pod)
  if (!asked) known.set(pod, (asked = podRequests(pod)))
  return asked
}

export interface Capacity {
  readonly total: Use
  readonly requested: Use
  /** Pods that have no node yet. */
  readonly waiting: number
  /** The most that any one machine which takes pods has left. */
  readonly mostFree: { readonly cpu: number; readonly memory: number }
}

export function capacity(rows: readonly MachineRow[], pods: readonly Pod[]): Capacity {
  const byNode = requestsByNode(pods)
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
  return { total, requested, waiting: pods.filter((pod) => !pod.spec.nodeName && !isOver(pod)).length, mostFree }
}

const add = (a: Use, b: Use): Use => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory, pods: a.pods + b.pods })
