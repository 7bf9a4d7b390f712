/** Gives claims their volumes, and takes volumes back from claims that are gone. Source: kubernetes `pkg/controller/volume/persistentvolume`. */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind, storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { storageClass as classKind } from '../../api/storage/v1/storage-class.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { annotationOf, BIND_COMPLETED } from '../../machinery/volumes/annotations.ts'
import { asksForDefault } from '../../machinery/volumes/classes.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { states } from '../runtime/watches.ts'
import { OwnWrites } from '../workload/own-writes.ts'
import { indexByClaim, podsOfClaim } from '../workload/claim-pods.ts'
import { createClaimSync } from './claims.ts'
import { createVolumeSync } from './volumes.ts'
import { createBinderWrites } from './writes.ts'

/** Keys of claims have a namespace, keys of volumes none. Claims that wait are found by class, volumes by class and by claim. */
const WAITING = 'waiting-by-class'
const BY_VOLUME = 'by-volume'
const BY_CLASS = 'free-by-class'
const BY_CLAIM = 'by-claim'

export const persistentVolumeBinder = defineController({
  name: 'persistentvolume-binder-controller',
  component: 'persistentvolume-controller',
  create({ client, clock, events, informers, queue }) {
    const claims = informers.for(claimKind)
    const volumes = informers.for(volumeKind)
    const classes = informers.for(classKind)
    const pods = informers.for(podKind)
    indexByClaim(pods)
    claims.addIndex(WAITING, (claim) => (isWaiting(claim) && !claim.spec.volumeName ? [storageClassOf(claim)] : []))
    claims.addIndex(BY_VOLUME, ({ spec }) => (spec.volumeName ? [spec.volumeName] : []))
    volumes.addIndex(BY_CLASS, (volume) => (volume.spec.claimRef ? [] : [storageClassOf(volume)]))
    volumes.addIndex(BY_CLAIM, ({ spec: { claimRef } }) => (claimRef ? [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`] : []))
    const written = new OwnWrites()
    const writes = createBinderWrites({ client, clock }, (object) => written.wrote(object))

    const syncClaim = createClaimSync(
      {
        volume: (name) => volumes.get(undefined, name),
        candidates: (claim) => [...volumes.byIndex(BY_CLAIM, keyOf(claim)), ...volumes.byIndex(BY_CLASS, storageClassOf(claim))],
        class: (name) => classes.get(undefined, name),
        classes: () => classes.list(),
        podsOf: (claim) => podsOfClaim(pods, claim).filter(({ spec }) => !spec.nodeName),
      },
      writes,
      events,
    )
    const syncVolume = createVolumeSync(
      {
        async claim({ namespace = '', name = '', uid }) {
          const known = claims.get(namespace, name)
          if (known && known.metadata.uid === uid) return known
          try {
            return await client.get(claimKind, { namespace, name })
          } catch (error) {
            if (hasReason(error, 'NotFound')) return null
            throw error
          }
        },
      },
      writes,
      events,
      (claim) => queue.add(keyOf(claim)),
    )

    const claimChanged = (change: Change<PersistentVolumeClaim>): string[] => {
      if (change.type === 'delete') written.forget(change.object)
      const key = keyOf(change.object)
      const named = states(change).flatMap(({ spec }) => spec.volumeName ?? [])
      return [key, ...new Set([...named, ...volumes.byIndex(BY_CLAIM, key).map(keyOf)])]
    }
    const volumeChanged = (change: Change<PersistentVolume>): string[] => {
      const { object: volume } = change
      if (change.type === 'delete') written.forget(volume)
      const claimed = states(change).flatMap(({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace}/${claimRef.name}` : []))
      const waiting = isFree(volume) && change.type !== 'delete' ? claims.byIndex(WAITING, storageClassOf(volume)) : []
      const naming = claims.byIndex(BY_VOLUME, volume.metadata.name)
      return [...new Set([volume.metadata.name, ...claimed, ...[...naming, ...waiting].map(keyOf)])]
    }
    const classChanged = ({ object }: Change<StorageClass>): string[] =>
      claims
        .list()
        .filter((claim) => isWaiting(claim) && (asksForDefault(claim) || storageClassOf(claim) === object.metadata.name))
        .map(keyOf)

    return {
      watches: [watch(claims, claimChanged), watch(volumes, volumeChanged), watch(classes, classChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        if (namespace === undefined) {
          const volume = volumes.get(undefined, name)
          if (volume && !written.isBehind(volume)) await syncVolume(volume)
          return undefined
        }
        const claim = claims.get(namespace, name)
        if (claim && !written.isBehind(claim)) await syncClaim(claim)
        return undefined
      },
    }
  },
})

function isWaiting(claim: PersistentVolumeClaim): boolean {
  return annotationOf(claim, BIND_COMPLETED) === undefined
}

function isFree({ spec, status }: PersistentVolume): boolean {
  return !spec.claimRef && status.phase === 'Available'
}
