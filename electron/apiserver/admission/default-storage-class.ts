/** Claims that name no class get the default one. Source: kubernetes `plugin/pkg/admission/storage/storageclass/setdefault`. */
import type { PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { asksForDefault, defaultClassOf } from '../../machinery/volumes/classes.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

export const STORAGE_CLASSES = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' }

export function defaultStorageClass(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: ({ operation, kind, subresource }) =>
      operation === 'CREATE' && subresource === '' && kind.group === '' && kind.resource === 'persistentvolumeclaims',
    async admit({ object }) {
      const claim = object as PersistentVolumeClaim
      const found = asksForDefault(claim) ? defaultClassOf(await lookup.list<StorageClass>(STORAGE_CLASSES)) : undefined
      if (found) claim.spec.storageClassName = found.metadata.name
    },
  }
}
