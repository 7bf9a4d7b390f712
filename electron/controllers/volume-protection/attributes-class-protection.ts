/** Keeps a VolumeAttributesClass as long as a claim or volume has it. Source: kubernetes `pkg/controller/volume/vacprotection`. */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import { volumeAttributesClass as classKind } from '../../api/storage/v1/volume-attributes-class.ts'
import { hasFinalizer, isBeingDeleted, withFinalizer, withoutFinalizer } from '../../machinery/object.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself, states } from '../runtime/watches.ts'

const PROTECTION = 'kubernetes.io/vac-protection'
const BY_CLASS = 'by-attributes-class'

export const attributesClassProtectionController = defineController({
  name: 'volumeattributesclass-protection-controller',
  create({ client, informers }) {
    const classes = informers.for(classKind)
    const claims = informers.for(claimKind)
    const volumes = informers.for(volumeKind)
    claims.addIndex(BY_CLASS, ({ spec, status }) => [
      ...new Set([spec.volumeAttributesClassName, status.currentVolumeAttributesClassName].flatMap((name) => name || [])),
    ])
    volumes.addIndex(BY_CLASS, ({ spec }) => (spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []))
    const isUsed = (name: string) => claims.byIndex(BY_CLASS, name).length > 0 || volumes.byIndex(BY_CLASS, name).length > 0

    return {
      watches: [
        watch(classes, itself),
        watch(claims, (change) =>
          states(change).flatMap(({ spec, status }) =>
            [spec.volumeAttributesClassName ?? [], status.currentVolumeAttributesClassName ?? []].flat(),
          ),
        ),
        watch(volumes, (change) => states(change).flatMap(({ spec }) => spec.volumeAttributesClassName ?? [])),
      ],
      async reconcile(name) {
        const found = classes.get(undefined, name)
        if (!found) return undefined
        const held = hasFinalizer(found, PROTECTION)
        const write = (finalizers: string[]) => client.update(classKind, { ...found, metadata: { ...found.metadata, finalizers } })
        if (!isBeingDeleted(found)) {
          if (!held) await write(withFinalizer(found, PROTECTION))
        } else if (held && !isUsed(name)) await write(withoutFinalizer(found, PROTECTION))
        return undefined
      },
    }
  },
})
