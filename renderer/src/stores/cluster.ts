/** The lists that the frame and the overview always show: open for as long as the window is. */
import { defineStore } from 'pinia'
import { computed, markRaw } from 'vue'
import type { Deployment, ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { Namespace, Node } from '../../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../../electron/api/infra/v1alpha1/types.ts'
import { machineRows } from '../kube/machine-rows.ts'
import { DEPLOYMENTS, MACHINES, NAMESPACES, NODES, REPLICA_SETS } from '../kube/resources.ts'
import { isTrouble, type Tone } from '../kube/tone.ts'
import { useLive } from './live.ts'
import { usePodSummary } from './pod-summary.ts'
import { usePrefs } from './prefs.ts'

export const useCluster = defineStore('cluster', () => {
  const prefs = usePrefs()
  const pods = usePodSummary()
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
  const podTally = computed(() => pods.summary.tones)
  const machineTally = computed(() => tally(machineRows(machines.items.value, nodes.items.value).map((row) => row.tone)))
  const namespaceNames = computed(() => namespaces.items.value.map((n) => n.metadata.name).toSorted())

  return { nodes, machines, deployments, replicaSets, namespaces, podTally, machineTally, namespaceNames, inScope }
})
