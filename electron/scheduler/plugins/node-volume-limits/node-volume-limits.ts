import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP, unschedulable } from '../../framework/status.ts'
import { claimsOf } from '../../matching/pod-volumes.ts'
import { hasClaims, higherLimit, ownClaim, withClaims } from '../../matching/volume-hints.ts'
import { classOf, NO_PROVISIONER } from '../../../machinery/volumes/classes.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'

/** Drivers by volume. */
type Volumes = ReadonlyMap<string, string>

const name = 'NodeVolumeLimits'
const key = stateKey<Volumes>(name)
const EXCEEDED = ['node(s) exceed max volume count']

/** Keeps nodes from more volumes of a CSI driver than the driver says it can attach there. Source: `plugins/nodevolumelimits/csi.go`. */
export const nodeVolumeLimits = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    events: [
      { event: { resource: 'CSINode', action: ACTION.add | ACTION.updateOther }, hint: higherLimit },
      { event: { resource: 'AssignedPod', action: ACTION.delete }, hint: withClaims },
      { event: { resource: 'PersistentVolumeClaim', action: ACTION.add | ACTION.updateOther }, hint: ownClaim },
      { event: { resource: 'VolumeAttachment', action: ACTION.delete }, hint: hasClaims },
    ],
    preFilter({ state, snapshot }, { pod }) {
      const volumes = volumesOf(pod, snapshot.objects)
      if (volumes.size === 0) return SKIP
      state.write(key, volumes)
      return null
    },
    filter({ state, snapshot }, _pod, node) {
      const drivers = snapshot.objects.csiNode(node.name)?.spec.drivers ?? []
      const limits = new Map(
        drivers.flatMap((driver) => (driver.allocatable?.count === undefined ? [] : [[driver.name, driver.allocatable.count] as const])),
      )
      if (limits.size === 0) return null
      const attached = new Map<string, string>()
      for (const { pod } of node.pods()) for (const [volume, driver] of volumesOf(pod, snapshot.objects)) attached.set(volume, driver)
      // Also those that no pod there needs any more, as long as they are not detached.
      for (const { spec } of snapshot.objects.volumeAttachments(node.name)) {
        const csi = snapshot.objects.persistentVolume(spec.source.persistentVolumeName ?? '')?.spec.csi
        if (csi) attached.set(`${csi.driver}^${csi.volumeHandle}`, csi.driver)
      }
      const more = new Map<string, number>()
      for (const [volume, driver] of state.read(key)) {
        if (!attached.has(volume)) more.set(driver, (more.get(driver) ?? 0) + 1)
      }
      for (const [driver, added] of more) {
        const limit = limits.get(driver)
        if (limit === undefined) continue
        const now = [...attached.values()].filter((other) => other === driver).length
        if (now + added > limit) return unschedulable(name, EXCEEDED)
      }
      return null
    },
  }),
})

/** A claim without a volume counts as one of who will make it. */
function volumesOf(pod: Pod, objects: ClusterObjects): Volumes {
  const volumes = new Map<string, string>()
  for (const claim of claimsOf(pod, objects)) {
    const { metadata, spec } = claim
    const csi = spec.volumeName ? objects.persistentVolume(spec.volumeName)?.spec.csi : undefined
    if (csi) volumes.set(`${csi.driver}^${csi.volumeHandle}`, csi.driver)
    else if (!spec.volumeName) {
      const provisioner = classOf(claim, (className) => objects.storageClass(className))?.provisioner ?? NO_PROVISIONER
      if (provisioner !== NO_PROVISIONER) volumes.set(`${provisioner}^${metadata.namespace}/${metadata.name}`, provisioner)
    }
  }
  return volumes
}
