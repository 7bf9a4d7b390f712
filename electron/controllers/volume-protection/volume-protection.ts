/** Keeps a volume as long as a claim has it. Source: kubernetes `pkg/controller/volume/pvprotection`. */
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume } from '../../api/core/v1/types.gen.ts'
import { hasFinalizer, isBeingDeleted, withFinalizer, withoutFinalizer } from '../../machinery/object.ts'
import { VOLUME_PROTECTION } from '../../machinery/volumes/annotations.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

export const volumeProtectionController = defineController({
  name: 'persistentvolume-protection-controller',
  create({ client, informers }) {
    const volumes = informers.for(volumeKind)
    const write = (volume: PersistentVolume, finalizers: string[]) =>
      client.update(volumeKind, { ...volume, metadata: { ...volume.metadata, finalizers } })
    return {
      watches: [watch(volumes, itself)],
      async reconcile(name) {
        const volume = volumes.get(undefined, name)
        if (!volume) return undefined
        const held = hasFinalizer(volume, VOLUME_PROTECTION)
        if (!isBeingDeleted(volume)) {
          if (!held) await write(volume, withFinalizer(volume, VOLUME_PROTECTION))
        } else if (held && volume.status.phase !== 'Bound') await write(volume, withoutFinalizer(volume, VOLUME_PROTECTION))
        return undefined
      },
    }
  },
})
