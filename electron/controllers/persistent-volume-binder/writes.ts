/** What the binder writes. Each step is whole by itself, so that whoever comes next goes on where another stopped. */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  PersistentVolumeStatus,
} from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { annotationOf, BIND_COMPLETED, BOUND_BY_CONTROLLER } from '../../machinery/volumes/annotations.ts'
import type { ControllerContext } from '../runtime/controller.ts'

type VolumePhase = NonNullable<PersistentVolumeStatus['phase']>

export interface BinderWrites {
  /** Makes the two each other's, in the order volume, claim, so that no volume is ever promised twice. */
  bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void>
  /** Takes back what a controller promised; what a person wrote stays, without the uid of the claim that is gone. */
  unbind(volume: PersistentVolume): Promise<PersistentVolume>
  setVolumePhase(volume: PersistentVolume, phase: VolumePhase, message?: string): Promise<PersistentVolume>
  setClaimPhase(claim: PersistentVolumeClaim, phase: 'Pending' | 'Lost'): Promise<PersistentVolumeClaim>
  updateClaim(claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim>
}

export function createBinderWrites(
  { client, clock }: Pick<ControllerContext, 'client' | 'clock'>,
  written: (object: PersistentVolume | PersistentVolumeClaim) => void,
): BinderWrites {
  const noted = async <T extends PersistentVolume | PersistentVolumeClaim>(writing: Promise<T>): Promise<T> => {
    const object = await writing
    written(object)
    return object
  }
  const updateVolume = (volume: PersistentVolume) => noted(client.update(volumeKind, volume))
  const updateClaim = (claim: PersistentVolumeClaim) => noted(client.update(claimKind, claim))

  const setVolumePhase = async (volume: PersistentVolume, phase: VolumePhase, message = ''): Promise<PersistentVolume> => {
    if (volume.status.phase === phase) return volume
    const { message: _old, ...rest } = volume.status
    const next = { ...rest, phase, lastPhaseTransitionTime: formatTime(clock.now()), ...(message ? { message } : {}) }
    return noted(client.update(volumeKind, { ...volume, status: next }, { subresource: 'status' }))
  }

  const setClaimStatus = async (claim: PersistentVolumeClaim, status: PersistentVolumeClaimStatus): Promise<PersistentVolumeClaim> => {
    if (semanticEqual(status, claim.status)) return claim
    return noted(client.update(claimKind, { ...claim, status }, { subresource: 'status' }))
  }

  return {
    updateClaim,
    setVolumePhase,
    async bind(volume, claim) {
      const reserved = isFor(volume, claim) ? volume : await updateVolume(reservedFor(volume, claim))
      await setVolumePhase(reserved, 'Bound')
      const named = namesVolume(claim, reserved) ? claim : await updateClaim(naming(claim, reserved))
      await setClaimStatus(named, boundStatus(named, reserved))
    },
    async unbind(volume) {
      const { metadata, spec } = volume
      const { [BOUND_BY_CONTROLLER]: byController, ...annotations } = metadata.annotations ?? {}
      const { claimRef, ...rest } = spec
      const { uid: _uid, resourceVersion: _version, ...person } = claimRef ?? {}
      const freed = byController === undefined ? { ...rest, claimRef: person } : rest
      const updated = await updateVolume({ ...volume, metadata: { ...metadata, annotations }, spec: freed })
      return setVolumePhase(updated, 'Available')
    },
    async setClaimPhase(claim, phase) {
      const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status
      return claim.status.phase === phase
        ? claim
        : setClaimStatus(claim, phase === 'Lost' ? { ...rest, phase } : { ...claim.status, phase })
    },
  }
}

function isFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  return claimRef?.uid === metadata.uid && claimRef.name === metadata.name && claimRef.namespace === metadata.namespace
}

function reservedFor(volume: PersistentVolume, { metadata }: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace = '', uid, resourceVersion } = metadata
  const claimRef = { kind: claimKind.kind, apiVersion: 'v1', namespace, name, uid, resourceVersion }
  const chosen: Record<string, string> = volume.spec.claimRef ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
  const annotations = { ...volume.metadata.annotations, ...chosen }
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec: { ...volume.spec, claimRef } }
}

function namesVolume(claim: PersistentVolumeClaim, { metadata }: PersistentVolume): boolean {
  return claim.spec.volumeName === metadata.name && annotationOf(claim, BIND_COMPLETED) !== undefined
}

function naming(claim: PersistentVolumeClaim, { metadata: { name: volumeName } }: PersistentVolume): PersistentVolumeClaim {
  const chosen: Record<string, string> = claim.spec.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
  const annotations = { ...claim.metadata.annotations, ...chosen, [BIND_COMPLETED]: 'yes' }
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName } }
}

/** A size that the claim has already is not changed: from then on it grows only with the file system. */
function boundStatus({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): PersistentVolumeClaimStatus {
  const capacity = status.phase === 'Bound' && status.capacity ? status.capacity : { ...spec.capacity }
  const { volumeAttributesClassName } = spec
  const attributes = volumeAttributesClassName ? { currentVolumeAttributesClassName: volumeAttributesClassName } : {}
  return { ...status, phase: 'Bound', accessModes: [...(spec.accessModes ?? [])], capacity, ...attributes }
}
