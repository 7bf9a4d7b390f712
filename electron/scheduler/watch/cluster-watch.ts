/** Brings what informers tell to the cache and the queue. Source: kubernetes `scheduler/eventhandlers.go`. */
import { persistentVolumeClaim as persistentVolumeClaimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as persistentVolumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { deviceClass as deviceClassKind } from '../../api/resource/v1/device-class.ts'
import { resourceClaim as resourceClaimKind } from '../../api/resource/v1/resource-claim.ts'
import { resourceSlice as resourceSliceKind } from '../../api/resource/v1/resource-slice.ts'
import { csiDriver as csiDriverKind } from '../../api/storage/v1/csi-driver.ts'
import { csiStorageCapacity as storageCapacityKind } from '../../api/storage/v1/csi-storage-capacity.ts'
import { csiNode as csiNodeKind } from '../../api/storage/v1/csi-node.ts'
import { storageClass as storageClassKind } from '../../api/storage/v1/storage-class.ts'
import { volumeAttachment as volumeAttachmentKind } from '../../api/storage/v1/volume-attachment.ts'
import type { Informer, Informers } from '../../client/informer.ts'
import type { SchedulerCore } from '../cycle/core.ts'
import { releaseAssumed } from '../cycle/failures.ts'
import { ACTION, EVENTS, nodeEvents, podEvents, type EventResource } from '../framework/events.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { hasEnded } from '../snapshot/snapshot.ts'

/** Begins at once with what is there already. */
export function watchNodes({ cache, queue }: SchedulerCore, nodes: Informer<Node>): Disposable {
  return nodes.on({
    add(node) {
      cache.snapshot.setNode(node)
      queue.move({ event: EVENTS.nodeAdd, now: node })
    },
    update(node, old) {
      cache.snapshot.setNode(node)
      for (const event of nodeEvents(node, old)) queue.move({ event, old, now: node })
    },
    delete(node) {
      cache.snapshot.removeNode(node.metadata.name)
      queue.move({ event: EVENTS.nodeDelete, old: node })
    },
  })
}

/** Volumes and devices, and what is said of them. */
export function watchResources({ queue }: SchedulerCore, informers: Informers): Disposable {
  const stack = new DisposableStack()
  const watch = (resource: EventResource, informer: Informer) =>
    stack.use(
      informer.on({
        add: (now) => queue.move({ event: { resource, action: ACTION.add }, now }),
        update: (now, old) => queue.move({ event: { resource, action: ACTION.updateOther }, old, now }),
        delete: (old) => queue.move({ event: { resource, action: ACTION.delete }, old }),
      }),
    )
  watch('PersistentVolumeClaim', informers.for<KubeObject>(persistentVolumeClaimKind))
  watch('PersistentVolume', informers.for<KubeObject>(persistentVolumeKind))
  watch('StorageClass', informers.for<KubeObject>(storageClassKind))
  watch('CSINode', informers.for<KubeObject>(csiNodeKind))
  watch('CSIDriver', informers.for<KubeObject>(csiDriverKind))
  watch('CSIStorageCapacity', informers.for<KubeObject>(storageCapacityKind))
  watch('VolumeAttachment', informers.for<KubeObject>(volumeAttachmentKind))
  watch('ResourceClaim', informers.for<KubeObject>(resourceClaimKind))
  watch('DeviceClass', informers.for<KubeObject>(deviceClassKind))
  watch('ResourceSlice', informers.for<KubeObject>(resourceSliceKind))
  return stack
}

type Standing = 'assigned' | 'waiting' | 'other'

/** Begins at once with what is there already. */
export function watchPods(core: SchedulerCore, pods: Informer<Pod>): Disposable {
  const { cache, queue, profiles, waiting, ledger } = core
  const standingOf = (pod: Pod): Standing => {
    if (hasEnded(pod)) return 'other'
    if (pod.spec.nodeName) return 'assigned'
    return profiles.has(pod.spec.schedulerName ?? '') ? 'waiting' : 'other'
  }
  const enter = (pod: Pod) => {
    const standing = standingOf(pod)
    if (standing === 'waiting') queue.add(pod)
    if (standing !== 'assigned') return
    cache.setPod(pod)
    queue.move({ event: EVENTS.assignedPodAdd, now: pod })
  }
  const leave = (pod: Pod) => {
    const { uid } = pod.metadata
    const standing = standingOf(pod)
    if (standing === 'assigned') {
      cache.removePod(uid)
      queue.move({ event: EVENTS.assignedPodDelete, old: pod })
    }
    if (standing !== 'waiting') return
    const wasPromised = queue.nominator.nodeOf(uid) !== undefined
    queue.delete(uid)
    ledger.forget(uid)
    const wasPlaced = waiting.reject(uid, '', 'the pod was deleted')
    // What it was promised is free for others that are no more important.
    if (wasPromised && !wasPlaced) {
      const { priority = 0 } = pod.spec
      queue.move({ event: EVENTS.assignedPodDelete, old: pod }, ({ info }) => info.priority <= priority)
    }
  }
  /** It was waiting, and is on a node now. */
  const settle = (pod: Pod) => {
    queue.delete(pod.metadata.uid)
    ledger.forget(pod.metadata.uid)
    enter(pod)
  }

  return pods.on({
    add: enter,
    delete: leave,
    update(pod, old) {
      // Another pod of the same name: the end of the first one was not told.
      if (pod.metadata.uid !== old.metadata.uid) {
        leave(old)
        return enter(pod)
      }
      const [before, after] = [standingOf(old), standingOf(pod)]
      if (before === 'waiting' && after === 'assigned') return settle(pod)
      if (before !== after) {
        leave(old)
        return enter(pod)
      }
      if (after === 'assigned') {
        const { now, before } = cache.setPod(pod)
        for (const event of podEvents(now, before?.pod === old ? before : new PodInfo(old), 'AssignedPod')) {
          queue.move({ event, old, now: pod })
        }
      } else if (after === 'waiting' && !cache.isAssumed(pod.metadata.uid)) queue.update(pod, old)
    },
  })
}

/** Asks what became of bindings that no informer has told of in time. Every so often, in milliseconds. */
export const RECONCILE_EVERY = 10_000

export async function reconcileOverdue(core: SchedulerCore): Promise<void> {
  for (const info of core.cache.overdue()) {
    const pod = await core.fetchPod(info.namespace, info.pod.metadata.name)
    if (!core.cache.isAssumed(info.uid)) continue
    if (pod?.metadata.uid === info.uid && pod.spec.nodeName) core.cache.setPod(pod)
    else releaseAssumed(core, info)
  }
}
