/** Workloads as squares, one for each pod, by namespace. */
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { workloadKey, type WorkloadRef } from '../../kube/owners.ts'
import { podView } from '../../kube/pod-status.ts'
import { TONE_RANK, type Tone } from '../../kube/tone.ts'

export interface SquareGroup {
  readonly owner: WorkloadRef
  readonly key: string
  /** Worst last, so that trouble is at the end of the row where the eye stops. */
  readonly squares: readonly { readonly key: string; readonly tone: Tone; readonly word: string }[]
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

export function squares(pods: readonly Pod[], ownerOf: (pod: Pod) => WorkloadRef, now: number): NamespaceSquares[] {
  const groups = new Map<string, { owner: WorkloadRef; pods: Pod[] }>()
  for (const pod of pods) {
    const owner = ownerOf(pod)
    const key = workloadKey(owner)
    const group = groups.get(key)
    if (group) group.pods.push(pod)
    else groups.set(key, { owner, pods: [pod] })
  }
  const byNamespace = new Map<string, SquareGroup[]>()
  for (const [key, { owner, pods: own }] of groups) {
    const views = own.map((pod) => ({ key: pod.metadata.uid, ...podView(pod, now) }))
    const list = byNamespace.get(owner.namespace) ?? []
    list.push({
      owner,
      key,
      squares: views
        .map(({ key: uid, tone, word }) => ({ key: uid, tone, word }))
        .toSorted((a, b) => TONE_RANK[b.tone] - TONE_RANK[a.tone]),
      ready: views.filter((view) => view.tone === 'ok').length,
      wanted: views.filter((view) => view.tone !== 'idle').length,
    })
    byNamespace.set(owner.namespace, list)
  }
  const sum = (list: readonly SquareGroup[], of: (group: SquareGroup) => number) => list.reduce((n, group) => n + of(group), 0)
  return [...byNamespace]
    .map(([namespace, list]) => ({
      namespace,
      groups: list.toSorted((a, b) => a.owner.name.localeCompare(b.owner.name)),
      ready: sum(list, (group) => group.ready),
      wanted: sum(list, (group) => group.wanted),
    }))
    .toSorted((a, b) => Number(a.ready >= a.wanted) - Number(b.ready >= b.wanted) || a.namespace.localeCompare(b.namespace))
}
