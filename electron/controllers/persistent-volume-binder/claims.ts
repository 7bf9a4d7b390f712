/** What becomes of one claim. Source: kubernetes `pkg/controller/volume/persistentvolume`, `syncClaim`. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import { storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import {
  annotationOf,
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../../machinery/volumes/annotations.ts'
import { asksForDefault, defaultClassOf, waitsForConsumer } from '../../machinery/volumes/classes.ts'
import { isReservedFor, matchingVolume, mismatchOf } from '../../machinery/volumes/match.ts'
import type { Events } from '../runtime/controller.ts'
import type { BinderWrites } from './writes.ts'

export interface ClaimView {
  volume(name: string): PersistentVolume | undefined
  /** Those of the class, and those that were given to the claim whatever their class. */
  candidates(claim: PersistentVolumeClaim): Iterable<PersistentVolume>
  class(name: string): StorageClass | undefined
  classes(): readonly StorageClass[]
  podsOf(claim: PersistentVolumeClaim): readonly Pod[]
}

export function createClaimSync(view: ClaimView, writes: BinderWrites, events: Events): (claim: PersistentVolumeClaim) => Promise<void> {
  const pending = async (claim: PersistentVolumeClaim) => void (await writes.setClaimPhase(claim, 'Pending'))
  const warn = (claim: PersistentVolumeClaim, reason: string, message: string) => events.event(claim, 'Warning', reason, message)

  return async (given) => {
    if (annotationOf(given, BIND_COMPLETED) !== undefined) return syncBound(given)
    if (isBeingDeleted(given)) return
    const claim = await withDefaultClass(given)
    return claim.spec.volumeName ? syncNamed(claim, claim.spec.volumeName) : syncUnbound(claim)
  }

  /** A default class that comes later is also for the claims that wait (KEP-3333). */
  async function withDefaultClass(claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim> {
    const found = asksForDefault(claim) ? defaultClassOf(view.classes()) : undefined
    if (!found) return claim
    return writes.updateClaim({ ...claim, spec: { ...claim.spec, storageClassName: found.metadata.name } })
  }

  async function syncUnbound(claim: PersistentVolumeClaim): Promise<void> {
    const found = view.class(storageClassOf(claim))
    const selected = annotationOf(claim, SELECTED_NODE)
    const reservedOnly = waitsForConsumer(found) && selected === undefined
    const volume = matchingVolume(claim, view.candidates(claim), { reservedOnly: waitsForConsumer(found) })
    if (volume) return writes.bind(volume, claim)
    const waiting = await writes.setClaimPhase(claim, 'Pending')
    if (reservedOnly) return tellWaiting(waiting)
    return provision(waiting, found)
  }

  function tellWaiting(claim: PersistentVolumeClaim): void {
    const pods = view.podsOf(claim).map(({ metadata }) => metadata.name)
    if (pods.length === 0) {
      events.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
      return
    }
    const who = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.sort().join(',')}`
    events.event(claim, 'Normal', 'WaitForPodScheduled', `waiting for ${who} to be scheduled`)
  }

  /** Whoever makes volumes of the class is told so; upstream's plugins for that are all gone, so it is always somebody else. */
  async function provision(claim: PersistentVolumeClaim, found: StorageClass | undefined): Promise<void> {
    const name = storageClassOf(claim)
    if (name === '') {
      events.event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
      return
    }
    if (!found) return warn(claim, 'ProvisioningFailed', `storageclass.storage.k8s.io "${name}" not found`)
    const { provisioner } = found
    if (provisioner.startsWith('kubernetes.io/')) {
      return warn(claim, 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`)
    }
    const asked = { [STORAGE_PROVISIONER]: provisioner, [BETA_STORAGE_PROVISIONER]: provisioner }
    const told =
      annotationOf(claim, STORAGE_PROVISIONER) === provisioner
        ? claim
        : await writes.updateClaim({
            ...claim,
            metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...asked } },
          })
    const message =
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
      'If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
    events.event(told, 'Normal', 'ExternalProvisioning', message)
  }

  /** Whoever made the claim chose its volume. */
  async function syncNamed(claim: PersistentVolumeClaim, name: string): Promise<void> {
    const volume = view.volume(name)
    if (!volume) return pending(claim)
    if (volume.spec.claimRef) {
      if (isReservedFor(volume, claim)) return writes.bind(volume, claim)
      warn(claim, 'FailedBinding', `volume "${name}" already bound to a different claim.`)
      return pending(claim)
    }
    const mismatch = mismatchOf(volume, claim)
    if (mismatch === null) return writes.bind(volume, claim)
    warn(claim, 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${mismatch}`)
    return pending(claim)
  }

  async function syncBound(claim: PersistentVolumeClaim): Promise<void> {
    const { volumeName = '' } = claim.spec
    if (volumeName === '') {
      return lose(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
    }
    const volume = view.volume(volumeName)
    if (!volume) return lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
    const { claimRef } = volume.spec
    if (!claimRef || claimRef.uid === claim.metadata.uid) return writes.bind(volume, claim)
    return lose(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
  }

  async function lose(claim: PersistentVolumeClaim, reason: string, message: string): Promise<void> {
    if (claim.status.phase === 'Lost') return
    await writes.setClaimPhase(claim, 'Lost')
    warn(claim, reason, message)
  }
}
