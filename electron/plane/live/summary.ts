/** All pods in numbers: what nodes have promised, and how each workload does. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { DownOf } from '../../contracts/channel.ts'
import type { LIST_CHANNELS } from '../../contracts/list-channels.ts'
import { workloadKey, type WorkloadRef } from '../../contracts/lists/owners.ts'
import { isOver, podRequests, podView } from '../../contracts/lists/pod-status.ts'
import { isTrouble, TONE_RANK, type Tone } from '../../contracts/lists/tone.ts'
import { slimPod } from '../../contracts/lists/pods.ts'
import type { Owners } from './owners.ts'
import { Pace } from './pace.ts'
import type { ListTable } from './table.ts'

export type PodSummary = DownOf<(typeof LIST_CHANNELS)['lists.pods']>

/** Of so many workloads in trouble the worst pod is told whole. */
const TOLD = 50

interface Owned {
  readonly owner: WorkloadRef
  readonly looks: Map<string, { readonly tone: Tone; readonly word: string; n: number }>
  worst: { readonly pod: Pod; readonly rank: number } | null
}

const requests = new WeakMap<Pod, { cpu: number; memory: number }>()
function requestsOf(pod: Pod): { cpu: number; memory: number } {
  let asked = requests.get(pod)
  if (!asked) requests.set(pod, (asked = podRequests(pod)))
  return asked
}

export async function summarize(table: ListTable, owners: Owners, namespace: string | undefined, clock: Clock): Promise<PodSummary> {
  const pace = new Pace(clock)
  const now = clock.now()
  const nodes = new Map<string, { node: string; cpu: number; memory: number; pods: number }>()
  const owned = new Map<string, Owned>()
  const tones = { total: 0, err: 0, warn: 0 }
  let waiting = 0
  for (const row of [...table.rows.values()]) {
    if (pace.tired) await pace.rest()
    const pod = row.object as Pod
    const node = pod.spec.nodeName
    if (!isOver(pod)) {
      if (node) {
        const use = nodes.get(node) ?? { node, cpu: 0, memory: 0, pods: 0 }
        const asked = requestsOf(pod)
        use.cpu += asked.cpu
        use.memory += asked.memory
        use.pods++
        nodes.set(node, use)
      } else waiting++
    }
    if (namespace !== undefined && pod.metadata.namespace !== namespace) continue
    const view = podView(pod, now)
    tones.total++
    if (isTrouble(view.tone)) tones[view.tone as 'err' | 'warn']++
    const owner = owners.workload(pod)
    const key = workloadKey(owner)
    const own: Owned = owned.get(key) ?? { owner, looks: new Map(), worst: null }
    owned.set(key, own)
    const look = own.looks.get(view.word + view.tone) ?? { tone: view.tone, word: view.word, n: 0 }
    look.n++
    own.looks.set(view.word + view.tone, look)
    if (isTrouble(view.tone) && view.rank < (own.worst?.rank ?? 9)) own.worst = { pod, rank: view.rank }
  }
  const told = new Set(
    [...owned.values()]
      .filter((own) => own.worst)
      .toSorted((a, b) => (a.worst?.rank ?? 9) - (b.worst?.rank ?? 9))
      .slice(0, TOLD),
  )
  return {
    nodes: [...nodes.values()],
    waiting,
    total: table.rows.size,
    tones,
    owners: [...owned.values()].map((own) => ({
      owner: own.owner,
      looks: [...own.looks.values()].toSorted((a, b) => TONE_RANK[b.tone] - TONE_RANK[a.tone]),
      ...(own.worst && told.has(own) ? { worst: slimPod(own.worst.pod) } : {}),
    })),
  }
}
