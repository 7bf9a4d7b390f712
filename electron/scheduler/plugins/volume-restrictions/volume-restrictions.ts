import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import type { AnyPlugin, Cycle } from '../../framework/plugin.ts'
import { SKIP, unresolvable, unschedulable } from '../../framework/status.ts'
import { claimNamesOf } from '../../matching/pod-volumes.ts'
import { ownClaim } from '../../matching/volume-hints.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { disksOf, sharedDisk } from './disks.ts'

const name = 'VolumeRestrictions'
const DISK_CONFLICT = ['node(s) had no available disk']
const POD_CONFLICT = ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode']

/** The pod's claims that one pod in the cluster may use, and how often others do. */
class ExclusiveClaims {
  readonly names: ReadonlySet<string>
  users: number

  constructor(names: ReadonlySet<string>, users = 0) {
    this.names = names
    this.users = users
  }

  clone(): ExclusiveClaims {
    return new ExclusiveClaims(this.names, this.users)
  }

  count(namespace: string, { pod }: PodInfo, by: 1 | -1): void {
    if (pod.metadata.namespace !== namespace) return
    for (const claim of claimNamesOf(pod)) if (this.names.has(claim)) this.users += by
  }
}

const key = stateKey<ExclusiveClaims>(name)

/** Claims that only one pod may use, and disks that only one pod of a node may have. */
export const volumeRestrictions = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    events: [
      {
        event: { resource: 'AssignedPod', action: ACTION.delete },
        hint: ({ pod }, old) => (old && sharesVolume(pod, old as Pod) ? 'Queue' : 'Skip'),
      },
      { event: { resource: 'Node', action: ACTION.add } },
      { event: { resource: 'PersistentVolumeClaim', action: ACTION.add }, hint: ownClaim },
    ],
    preFilter({ state, snapshot }, { pod, namespace }) {
      const names = new Set<string>()
      for (const volume of pod.spec.volumes ?? []) {
        const claimName = volume.persistentVolumeClaim?.claimName
        if (claimName === undefined) continue
        const claim = snapshot.objects.persistentVolumeClaim(namespace, claimName)
        if (!claim) return unresolvable(name, [`persistentvolumeclaim "${claimName}" not found`])
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) names.add(claimName)
      }
      if (names.size === 0 && disksOf(pod).length === 0) return SKIP
      const exclusive = new ExclusiveClaims(names)
      if (names.size > 0) {
        for (const node of snapshot.nodes) for (const other of node.pods()) exclusive.count(namespace, other, 1)
      }
      state.write(key, exclusive)
      return null
    },
    addPod: (cycle, pod, added) => count(cycle, pod, added, 1),
    removePod: (cycle, pod, removed) => count(cycle, pod, removed, -1),
    filter({ state }, { pod }, node) {
      const disks = disksOf(pod)
      if (disks.length > 0) {
        for (const other of node.pods()) if (sharedDisk(disks, disksOf(other.pod))) return unschedulable(name, DISK_CONFLICT)
      }
      return (state.find(key)?.users ?? 0) > 0 ? unschedulable(name, POD_CONFLICT) : null
    },
  }),
})

function count({ state }: Cycle, { namespace }: PodInfo, other: PodInfo, by: 1 | -1): void {
  state.find(key)?.count(namespace, other, by)
}

function sharesVolume(pod: Pod, other: Pod): boolean {
  if (sharedDisk(disksOf(pod), disksOf(other))) return true
  if (pod.metadata.namespace !== other.metadata.namespace) return false
  const names = new Set(claimNamesOf(other))
  return claimNamesOf(pod).some((claim) => names.has(claim))
}
