/** The storage class that a new cluster has, so that claims get a volume without more ado. */
import { LOCAL_CLASS, LOCAL_PROVISIONER } from '../api/infra/v1alpha1/local-volumes.ts'
import { isDefaultClass, storageClass as classKind } from '../api/storage/v1/storage-class.ts'
import type { Client } from '../client/client.ts'
import { hasReason } from '../machinery/status.ts'

/** Made where there is none of the name; the default one only where there is no other. A person's changes to it stay. */
export async function ensureLocalClass(client: Client): Promise<void> {
  const { items } = await client.list(classKind)
  if (items.some(({ metadata }) => metadata.name === LOCAL_CLASS)) return
  const annotations = { 'storageclass.kubernetes.io/is-default-class': String(!items.some(isDefaultClass)) }
  await client
    .create(classKind, {
      metadata: { name: LOCAL_CLASS, annotations },
      provisioner: LOCAL_PROVISIONER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    })
    .catch((error: unknown) => {
      if (!hasReason(error, 'AlreadyExists')) throw error
    })
}
