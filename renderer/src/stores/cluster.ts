/** The lists that the frame and the overview always show: open for as long as the window is. */
import { defineStore } from 'pinia'
import { computed, markRaw } from 'vue'
import type { Deployment, ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { Namespace, Node, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../../electron/api/infra/v1alpha1/types.ts'
import { machineRows } from '../kube/machine-rows.ts'
import { controllerOf } from '../kube/owners.ts'
import { podView, type PodView } from '../kube/pod-status.ts'
import { DEPLOYMENTS, MACHINES, NAMESPACES, NODES, PODS, REPLICA_SETS } from '../kube/resources.ts'
import { isTrouble, type Tone } from '../kube/tone.ts'
import { wallClock } from '../time/clock.ts'
import { useLive } from './live.ts'
import { usePrefs } from './prefs.ts'

export const useCluster = defineStore('cluster', () => {
  const prefs = usePrefs()
  const pods = markRaw(useLive<Pod>(PODS))
  const nodes = markRaw(useLive<Node>(NODES))
  const machines = markRaw(useLive<Machine>(MACHINES))
  const deployments = markRaw(useLive<Deployment>(DEPLOYMENTS))
  const replicaSets = markRaw(useLive<ReplicaSet>(REPLICA_SETS))
  const namespaces = markRaw(useLive<Namespace>(NAMESPACES))

  const inScope = (object: { metadata: { namespace?: string } }) => !prefs.namespace || object.metadata.namespace === prefs.namespace
  const tally = (tones: Iterable<Tone>) => {
    const counts = { total: 0, err: 0, warn: 0 }
    for (const tone of tones) {
      counts.total++
      if (isTrouble(tone)) counts[tone as 'err' | 'warn']++
    }
    return counts
  }
  const podTally = computed(() => {
    const now = wallClock()
    return tally(pods.items.value.filter(inScope).map((pod) => podView(pod, now).tone))
  })
  const machineTally = computed(() => tally(machineRows(machines.items.value, nodes.items.value).map((row) => row.tone)))
  const namespaceNames = computed(() => namespaces.items.value.map((n) => n.metadata.name).toSorted())

  /** The worst pod of each workload that has one in trouble, by the uid of what owns it: a ReplicaSet, and its Deployment. */
  const troubledOwners = computed<ReadonlyMap<string, PodView>>(() => {
    const now = wallClock()
    const worst = new Map<string, PodView>()
    const note = (uid: string, view: PodView) => {
      if ((worst.get(uid)?.rank ?? 9) > view.rank) worst.set(uid, view)
    }
    for (const pod of pods.items.value) {
      const view = podView(pod, now)
      const owner = isTrouble(view.tone) ? controllerOf(pod) : undefined
      if (!owner) continue
      note(owner.uid, view)
      const above = replicaSets.byUid(owner.uid)
      const top = above && controllerOf(above)
      if (top) note(top.uid, view)
    }
    return worst
  })

  return { troubledOwners, pods, nodes, machines, deployments, replicaSets, namespaces, podTally, machineTally, namespaceNames, inScope }
})
