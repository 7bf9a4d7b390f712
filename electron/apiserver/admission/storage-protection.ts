/** Claims and volumes are kept while they are in use, from their first moment on. Source: kubernetes `storage/storageobjectinuseprotection`. */
import { withFinalizer } from '../../machinery/object.ts'
import { CLAIM_PROTECTION, VOLUME_PROTECTION } from '../../machinery/volumes/annotations.ts'
import type { AdmissionPlugin } from './admission.ts'

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: CLAIM_PROTECTION,
  persistentvolumes: VOLUME_PROTECTION,
}

export const storageProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ operation, kind, subresource }) =>
    operation === 'CREATE' && subresource === '' && kind.group === '' && kind.resource in FINALIZERS,
  admit({ kind, object }) {
    const finalizer = FINALIZERS[kind.resource]
    if (object && finalizer) object.metadata.finalizers = withFinalizer(object, finalizer)
  },
}
