/** Claims grow only where their class allows it. Source: kubernetes `plugin/pkg/admission/storage/persistentvolume/resize`. */
import { storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { compareQuantity } from '../../api/values/quantity.ts'
import { forbidden } from '../../machinery/status.ts'
import { classOf } from '../../machinery/volumes/classes.ts'
import { storageOf } from '../../machinery/volumes/match.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'
import { STORAGE_CLASSES } from './default-storage-class.ts'

export function claimResize(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    handles: ({ operation, kind, subresource }) =>
      operation === 'UPDATE' && subresource === '' && kind.group === '' && kind.resource === 'persistentvolumeclaims',
    async validate(request) {
      const [claim, old] = [request.object as PersistentVolumeClaim, request.old as PersistentVolumeClaim]
      if (compareQuantity(storageOf(claim.spec.resources.requests), storageOf(old.spec.resources.requests)) <= 0) return
      if (old.status.phase !== 'Bound') throw forbidden(request.kind, request.name, 'Only bound persistent volume claims can be expanded')
      const found = await lookup.get<StorageClass>(STORAGE_CLASSES, '', storageClassOf(claim))
      if (classOf(claim, () => found ?? undefined)?.allowVolumeExpansion) return
      const why = 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
      throw forbidden(request.kind, request.name, why)
    },
  }
}
