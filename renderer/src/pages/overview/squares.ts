/** Workloads as squares, one for each pod, by namespace. */
import { workloadKey, type WorkloadRef } from '../../kube/owners.ts'
import type { Tone } from '../../kube/tone.ts'
import type { PodSummary } from '../../stores/pod-summary.ts'

/** More than this and a workload's squares become a number. */
export const MANY = 60

export interface SquareGroup {
  readonly owner: WorkloadRef
  readonly key: string
  /** Worst last, so that trouble is at the end of the row where the eye stops; none where there are too many. */
  readonly squares: readonly { readonly key: number; readonly tone: Tone; readonly word: string }[]
  readonly pods: number
  readonly ready: number
  /** Without pods that have done their work. */
  readonly wanted: number
}

export interface NamespaceSquares {
  readonly namespace: string
  readonly groups: readonly SquareGroup[]
  readonly ready: number
  readonly wanted: number
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((n, item) => n + of(item), 0)

/** The summary's looks come best first. */
export function squares(owners: PodSummary['owners']): NamespaceSquares[] {
  const byNamespace = new Map<string, SquareGroup[]>()
  for (const { owner, looks } of owners) {
    const pods = sum(looks, (look) => look.n)
    const each = pods > MANY ? [] : looks.flatMap(({ tone, word, n }) => Array.from({ length: n }, () => ({ tone, word })))
    const list = byNamespace.get(owner.namespace) ?? []
    list.push({
      owner,
      key: workloadKey(owner),
      squares: each.map((square, key) => ({ key, ...square })),
      pods,
      ready: sum(looks, ({ tone, n }) => (tone === 'ok' ? n : 0)),
      wanted: sum(looks, ({ tone, n }) => (tone === 'idle' ? 0 : n)),
    })
    byNamespace.set(owner.namespace, list)
  }
  return [...byNamespace]
    .map(([namespace, list]) => ({
      namespace,
      groups: list.toSorted((a, b) => a.owner.name.localeCompare(b.owner.name)),
      ready: sum(list, (group) => group.ready),
      wanted: sum(list, (group) => group.wanted),
    }))
    .toSorted((a, b) => Number(a.ready >= a.wanted) - Number(b.ready >= b.wanted) || a.namespace.localeCompare(b.namespace))
}
