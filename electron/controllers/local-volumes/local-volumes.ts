/**
 * Makes volumes of our own class: folders on the node that the scheduler chose for a claim's first pod, removed with their volume where
 * the reclaim policy says so. Words and steps are those of sig-storage-lib-external-provisioner.
 */
import { LOCAL_PROVISIONER, LOCAL_VOLUME_FINALIZER } from '../../api/infra/v1alpha1/local-volumes.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { storageClass as classKind } from '../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { hasFinalizer, isBeingDeleted, keyOf, splitKey, withoutFinalizer } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { annotationOf, SELECTED_NODE, STORAGE_PROVISIONER, VOLUME_PROTECTION } from '../../machinery/volumes/annotations.ts'
import { classOf } from '../../machinery/volumes/classes.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { isLocal, ON_NODE, refusalOf, volumeFor, volumeNameOf } from './local-volume.ts'
import { createNodeFolders } from './node-folders.ts'

const BY_NODE = 'local-by-node'
/** Milliseconds until a node that could not be reached is asked again, unless it gets ready before. */
const RETRY = 30_000

/** Keys of claims have a namespace, keys of volumes none. */
export const localVolumeController = defineController({
  name: 'flotilla-local-volume-controller',
  component: LOCAL_PROVISIONER,
  create({ client, events, informers }) {
    const claims = informers.for(claimKind)
    const volumes = informers.for(volumeKind)
    const classes = informers.for(classKind)
    const nodes = informers.for(nodeKind)
    claims.addIndex(BY_NODE, (claim) => (isOpen(claim) ? [annotationOf(claim, SELECTED_NODE) ?? ''] : []))
    volumes.addIndex(BY_NODE, (volume) => (isLocal(volume) ? [annotationOf(volume, ON_NODE) ?? ''] : []))
    const folders = createNodeFolders(client)

    const provision = async (claim: PersistentVolumeClaim, found: StorageClass): Promise<Outcome> => {
      const fail = (why: string) => {
        const message = `failed to provision volume with StorageClass "${found.metadata.name}": ${why}`
        events.event(claim, 'Warning', 'ProvisioningFailed', message)
      }
      const refusal = refusalOf(claim, found)
      if (refusal !== null) {
        fail(refusal)
        return undefined
      }
      const nodeName = annotationOf(claim, SELECTED_NODE)
      if (nodeName === undefined || volumes.get(undefined, volumeNameOf(claim))) return undefined
      const node = nodes.get(undefined, nodeName) ?? (await nodeNow(nodeName))
      if (!node) {
        fail(`node "${nodeName}" not found`)
        return reschedule(claim)
      }
      events.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${keyOf(claim)}"`)
      let path: string
      try {
        path = await folders.make(nodeName, volumeNameOf(claim))
      } catch (error) {
        if (isAbort(error)) throw error
        fail(messageOf(error))
        return { requeueAfter: RETRY }
      }
      try {
        const made = await client.create(volumeKind, volumeFor(claim, found, node, path))
        events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${made.metadata.name}`)
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error
      }
      return undefined
    }

    /** The scheduler chooses anew. */
    const reschedule = async (claim: PersistentVolumeClaim): Promise<Outcome> => {
      const { [SELECTED_NODE]: _node, ...annotations } = claim.metadata.annotations ?? {}
      await client.update(claimKind, { ...claim, metadata: { ...claim.metadata, annotations } })
      return undefined
    }

    const nodeNow = async (name: string): Promise<Node | null> => {
      try {
        return await client.get(nodeKind, { name })
      } catch (error) {
        if (hasReason(error, 'NotFound')) return null
        throw error
      }
    }

    /** First what is on the disk, then the object, so that nothing is left that nobody knows of. */
    const reclaim = async (volume: PersistentVolume): Promise<Outcome> => {
      const { name } = volume.metadata
      const leaving = isBeingDeleted(volume)
      const isReleased = volume.status.phase === 'Released' || volume.status.phase === 'Failed'
      if (leaving ? hasFinalizer(volume, VOLUME_PROTECTION) : !isReleased) return undefined
      if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
        const node = annotationOf(volume, ON_NODE) ?? ''
        try {
          // With the node its disk is gone.
          if (nodes.get(undefined, node) ?? (await nodeNow(node))) await folders.remove(node, name)
        } catch (error) {
          if (isAbort(error)) throw error
          events.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error))
          return { requeueAfter: RETRY }
        }
      } else if (!leaving) return undefined
      if (!leaving) await client.delete(volumeKind, { name }, { preconditions: { uid: volume.metadata.uid } })
      else if (hasFinalizer(volume, LOCAL_VOLUME_FINALIZER)) {
        const finalizers = withoutFinalizer(volume, LOCAL_VOLUME_FINALIZER)
        await client.update(volumeKind, { ...volume, metadata: { ...volume.metadata, finalizers } })
      }
      return undefined
    }

    const nodeChanged = ({ type, object, old }: Change<Node>): string[] => {
      const back = type === 'delete' || (isReady(object) && (old === undefined || !isReady(old)))
      if (!back) return []
      const { name } = object.metadata
      return [...claims.byIndex(BY_NODE, name), ...volumes.byIndex(BY_NODE, name)].map(keyOf)
    }
    const classChanged = ({ object }: Change<StorageClass>): string[] =>
      object.provisioner === LOCAL_PROVISIONER ? claims.list().filter(isOpen).map(keyOf) : []

    return {
      watches: [watch(claims, itself), watch(volumes, itself), watch(nodes, nodeChanged), watch(classes, classChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        if (namespace === undefined) {
          const volume = volumes.get(undefined, name)
          return volume && isLocal(volume) ? reclaim(volume) : undefined
        }
        const claim = claims.get(namespace, name)
        if (!claim || !isOpen(claim)) return undefined
        const found = classOf(claim, (className) => classes.get(undefined, className))
        return found?.provisioner === LOCAL_PROVISIONER ? provision(claim, found) : undefined
      },
    }
  },
})

/** Whether it waits for a volume from here. */
function isOpen(claim: PersistentVolumeClaim): boolean {
  return annotationOf(claim, STORAGE_PROVISIONER) === LOCAL_PROVISIONER && !claim.spec.volumeName && !isBeingDeleted(claim)
}

function isReady({ status }: Node): boolean {
  return isConditionTrue(status.conditions, 'Ready')
}
