/** What becomes of one volume. Source: kubernetes `pkg/controller/volume/persistentvolume`, `syncVolume`. */
import type { ObjectReference, PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { annotationOf, BOUND_BY_CONTROLLER, PROVISIONED_BY } from '../../machinery/volumes/annotations.ts'
import { modeOf } from '../../machinery/volumes/match.ts'
import type { Events } from '../runtime/controller.ts'
import type { BinderWrites } from './writes.ts'

export interface VolumeView {
  /** As the server has it now where informers have none: whether a volume loses its data must not hang on their delay. */
  claim(reference: ObjectReference): Promise<PersistentVolumeClaim | null>
}

export function createVolumeSync(
  view: VolumeView,
  writes: BinderWrites,
  events: Events,
  wake: (claim: PersistentVolumeClaim) => void,
): (volume: PersistentVolume) => Promise<void> {
  return async (volume) => {
    const { claimRef } = volume.spec
    // Without a uid it is promised to a claim that has not taken it.
    if (!claimRef?.uid) return void (await writes.setVolumePhase(volume, 'Available'))
    const claim = await view.claim(claimRef)
    if (!claim || claim.metadata.uid !== claimRef.uid) return release(volume)
    const { volumeName = '' } = claim.spec
    if (volumeName === volume.metadata.name) return void (await writes.setVolumePhase(volume, 'Bound'))
    if (volumeName === '') {
      if (modeOf(volume) !== modeOf(claim)) tellMode(volume, claim)
      // The claim takes it, or waits until it can.
      return wake(claim)
    }
    if (isMadeForClaim(volume)) return release(volume)
    await writes.unbind(volume)
  }

  async function release(volume: PersistentVolume): Promise<void> {
    const { phase } = volume.status
    if (phase === 'Failed') return
    const released = phase === 'Released' ? volume : await writes.setVolumePhase(volume, 'Released')
    return reclaim(released)
  }

  /** Who made a volume takes it away; here is nobody who could. */
  async function reclaim(volume: PersistentVolume): Promise<void> {
    const { persistentVolumeReclaimPolicy: policy } = volume.spec
    if (policy === 'Delete') {
      const maker = annotationOf(volume, PROVISIONED_BY)
      if (maker !== undefined && !maker.startsWith('kubernetes.io/')) return
      const why = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
      return fail(volume, 'VolumeFailedDelete', why)
    }
    if (policy === 'Recycle') return fail(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!')
  }

  async function fail(volume: PersistentVolume, reason: string, message: string): Promise<void> {
    const failed = await writes.setVolumePhase(volume, 'Failed', message)
    events.event(failed, 'Warning', reason, message)
  }

  function tellMode(volume: PersistentVolume, claim: PersistentVolumeClaim): void {
    const why = 'due to incompatible volumeMode.'
    const [volumeName, claimName] = [volume.metadata.name, claim.metadata.name]
    const volumeText = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claimName}" ${why}`
    events.event(volume, 'Warning', 'VolumeMismatch', volumeText)
    const claimText = `Cannot bind PersistentVolume "${volumeName}" to requested PersistentVolumeClaim "${claimName}" ${why}`
    events.event(claim, 'Warning', 'VolumeMismatch', claimText)
  }
}

/** It was made for a claim that took another one: nobody else shall have it. */
function isMadeForClaim(volume: PersistentVolume): boolean {
  const made = annotationOf(volume, PROVISIONED_BY) !== undefined
  return made && volume.spec.persistentVolumeReclaimPolicy === 'Delete' && annotationOf(volume, BOUND_BY_CONTROLLER) === undefined
}
