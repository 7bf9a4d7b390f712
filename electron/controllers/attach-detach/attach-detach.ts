/**
 * Has volumes attached to the nodes whose pods use them, and detached where nobody does: VolumeAttachments, which the attacher of a CSI
 * driver carries out. Source: kubernetes `pkg/controller/volume/attachdetach`.
 */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { AttachedVolume, Node, PersistentVolume, Pod } from '../../api/core/v1/types.gen.ts'
import { csiDriver as driverKind } from '../../api/storage/v1/csi-driver.ts'
import type { VolumeAttachment } from '../../api/storage/v1/types.gen.ts'
import { volumeAttachment as attachmentKind } from '../../api/storage/v1/volume-attachment.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { OUT_OF_SERVICE } from '../node/taints.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { states } from '../runtime/watches.ts'
import { indexByClaim, podsOfClaim } from '../workload/claim-pods.ts'
import { indexByNode, podsOn } from '../workload/indices.ts'
import { attachmentName, isExclusive, isManaged, uniqueName, wantedBy, type VolumeSources, type Wanted } from './volumes.ts'

const BY_NODE = 'by-node'
const BY_VOLUME = 'by-volume'
/** So long the kubelet of a node that is not well may take to unmount, in milliseconds. */
const UNMOUNT = 6 * 60_000

/** Keys are names of nodes. */
export const attachDetachController = defineController({
  name: 'persistentvolume-attach-detach-controller',
  component: 'attachdetach-controller',
  create({ client, clock, events, informers }) {
    const nodes = informers.for(nodeKind)
    const pods = informers.for(podKind)
    const claims = informers.for(claimKind)
    const volumes = informers.for(volumeKind)
    const drivers = informers.for(driverKind)
    const attachments = informers.for(attachmentKind)
    indexByNode(pods)
    indexByClaim(pods)
    attachments.addIndex(BY_NODE, ({ spec }) => [spec.nodeName])
    attachments.addIndex(BY_VOLUME, ({ spec }) => [spec.source.persistentVolumeName ?? ''])
    const sources: VolumeSources = {
      claim: (namespace, name) => claims.get(namespace, name),
      volume: (name) => volumes.get(undefined, name),
      driver: (name) => drivers.get(undefined, name),
    }
    /** By attachment: since when nobody wants it, on the monotonic clock. */
    const unwanted = new Map<string, number>()
    /** Nodes that wait for a volume which another has, by the volume's name. */
    const waiting = new Map<string, Set<string>>()

    const podChanged = (change: Change<Pod>): string[] =>
      states(change).flatMap(({ spec }) => (spec.nodeName && spec.volumes?.some(hasClaim) ? spec.nodeName : []))
    const nodeChanged = ({ object, old }: Change<Node>): string[] =>
      old && semanticEqual(concern(object), concern(old)) ? [] : [object.metadata.name]
    const attachmentChanged = ({ object, type }: Change<VolumeAttachment>): string[] => {
      const name = object.spec.source.persistentVolumeName ?? ''
      return [object.spec.nodeName, ...(type === 'delete' ? (waiting.get(name) ?? []) : [])]
    }

    return {
      watches: [
        watch(pods, podChanged),
        watch(nodes, nodeChanged),
        watch(claims, ({ object }) => podsOfClaim(pods, object).flatMap(({ spec }) => spec.nodeName ?? [])),
        watch(attachments, attachmentChanged),
      ],
      async reconcile(name) {
        const node = nodes.get(undefined, name)
        if (node && !isManaged(node)) return undefined
        const wanted = wantedBy(podsOn(pods, name), sources)
        const own = attachments.byIndex(BY_NODE, name).filter(isOurs)
        const idle = own.filter(({ spec }) => !wanted.has(spec.source.persistentVolumeName ?? ''))
        for (const one of own) if (!idle.includes(one)) unwanted.delete(one.metadata.name)
        if (node) for (const one of wanted.values()) await attach(one, name)
        for (const one of own) tellFaults(one, wanted)
        const { detachable, wait } = detachableOf(node, idle)
        if (node)
          await tellNode(
            node,
            own.filter((one) => !detachable.includes(one)),
            wanted,
          )
        for (const one of detachable) await detach(one)
        return wait
      },
    }

    /** Made by us, or by somebody who names as we do. */
    function isOurs({ metadata, spec }: VolumeAttachment): boolean {
      const volume = volumes.get(undefined, spec.source.persistentVolumeName ?? '')
      return volume !== undefined && metadata.name === attachmentName(volume, spec.nodeName)
    }

    async function attach({ volume, pods: users }: Wanted, node: string): Promise<void> {
      const { name } = volume.metadata
      const elsewhere = attachments.byIndex(BY_VOLUME, name).filter(({ spec }) => spec.nodeName !== node)
      if (attachments.get(undefined, attachmentName(volume, node))) return stopWaiting(name, node)
      if (elsewhere.length > 0 && isExclusive(volume)) {
        waiting.set(name, (waiting.get(name) ?? new Set()).add(node))
        return tell(users, 'Warning', 'FailedAttachVolume', multiAttach(volume, elsewhere))
      }
      stopWaiting(name, node)
      const spec = { attacher: volume.spec.csi?.driver ?? '', nodeName: node, source: { persistentVolumeName: name } }
      await client.create(attachmentKind, { metadata: { name: attachmentName(volume, node) }, spec }).catch((error: unknown) => {
        if (!hasReason(error, 'AlreadyExists')) throw error
      })
    }

    function stopWaiting(volume: string, node: string): void {
      const nodesOf = waiting.get(volume)
      nodesOf?.delete(node)
      if (nodesOf?.size === 0) waiting.delete(volume)
    }

    function multiAttach({ metadata }: PersistentVolume, elsewhere: readonly VolumeAttachment[]): string {
      const users = elsewhere.flatMap(({ spec }) => wantedBy(podsOn(pods, spec.nodeName), sources).get(metadata.name)?.pods ?? [])
      const why =
        users.length > 0
          ? `Volume is already used by pod(s) ${users.map((pod) => pod.metadata.name).join(', ')}`
          : "Volume is already exclusively attached to one node and can't be attached to another"
      return `Multi-Attach error for volume "${metadata.name}" ${why}`
    }

    function tellFaults({ spec, status }: VolumeAttachment, wanted: ReadonlyMap<string, Wanted>): void {
      const one = wanted.get(spec.source.persistentVolumeName ?? '')
      if (!one || status.attached || !status.attachError) return
      const what = `AttachVolume.Attach failed for volume "${one.volume.metadata.name}" : ${status.attachError.message ?? ''}`
      tell(one.pods, 'Warning', 'FailedAttachVolume', what)
    }

    function tell(users: readonly Pod[], type: 'Normal' | 'Warning', reason: string, message: string): void {
      for (const pod of users) events.event(pod, type, reason, message)
    }

    /** A mounted volume is not taken from a node, unless the node is given up. */
    function detachableOf(node: Node | undefined, idle: readonly VolumeAttachment[]): { detachable: VolumeAttachment[]; wait: Outcome } {
      const inUse = new Set(node?.status.volumesInUse ?? [])
      const isWell = isConditionTrue(node?.status.conditions, 'Ready')
      const isGivenUp = node?.spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false
      let soonest = Infinity
      const detachable = idle.filter((one) => {
        const volume = volumes.get(undefined, one.spec.source.persistentVolumeName ?? '')
        const now = clock.monotonic()
        const since = unwanted.get(one.metadata.name) ?? now
        unwanted.set(one.metadata.name, since)
        if (isGivenUp || !volume || !inUse.has(uniqueName(volume))) return true
        if (isWell) return false
        const wait = since + UNMOUNT - now
        if (wait > 0) soonest = Math.min(soonest, wait)
        return wait <= 0
      })
      return { detachable, wait: soonest === Infinity ? undefined : { requeueAfter: soonest } }
    }

    /** The kubelet mounts what is told here; what is to be detached is taken out first. */
    async function tellNode(node: Node, own: readonly VolumeAttachment[], wanted: ReadonlyMap<string, Wanted>): Promise<void> {
      const volumesAttached = own.flatMap((one): AttachedVolume[] => {
        const volume = volumes.get(undefined, one.spec.source.persistentVolumeName ?? '')
        return volume && one.status.attached && !isBeingDeleted(one) ? [{ name: uniqueName(volume), devicePath: '' }] : []
      })
      const sorted = volumesAttached.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const before = node.status.volumesAttached ?? []
      if (semanticEqual(sorted, before)) return
      const { volumesAttached: _before, ...status } = node.status
      const told = sorted.length > 0 ? { ...status, volumesAttached: sorted } : status
      await client.update(nodeKind, { ...node, status: told }, { subresource: 'status' })
      for (const { volume, pods: users } of wanted.values()) {
        const name = uniqueName(volume)
        const isNew = sorted.some((one) => one.name === name) && !before.some((one) => one.name === name)
        if (isNew) tell(users, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `)
      }
    }

    async function detach({ metadata }: VolumeAttachment): Promise<void> {
      unwanted.delete(metadata.name)
      if (metadata.deletionTimestamp) return
      await client.delete(attachmentKind, metadata, { preconditions: { uid: metadata.uid } }).catch((error: unknown) => {
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error
      })
    }
  },
})

function hasClaim(volume: NonNullable<Pod['spec']['volumes']>[number]): boolean {
  return volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined
}

function concern(node: Node): unknown {
  const { spec, status } = node
  const { volumesInUse, volumesAttached } = status
  return [isManaged(node), spec.taints, isConditionTrue(status.conditions, 'Ready'), volumesInUse, volumesAttached]
}
