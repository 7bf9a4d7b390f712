/** The volume that is made for a claim, and which claims get none. */
import { LOCAL_PROVISIONER, LOCAL_VOLUME_FINALIZER } from '../../api/infra/v1alpha1/local-volumes.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { annotationOf, PROVISIONED_BY } from '../../machinery/volumes/annotations.ts'
import { storageOf } from '../../machinery/volumes/match.ts'

/** On a volume: whose disk its folder is on. */
export const ON_NODE = 'infra.flotilla.dev/node'
const HOSTNAME = 'kubernetes.io/hostname'
const ONE_NODE: readonly string[] = ['ReadWriteOnce', 'ReadWriteOncePod']

export function volumeNameOf({ metadata }: PersistentVolumeClaim): string {
  return `pvc-${metadata.uid}`
}

export function isLocal(volume: PersistentVolume): boolean {
  return annotationOf(volume, PROVISIONED_BY) === LOCAL_PROVISIONER
}

/** Why a folder on one node is not what the claim asks for; null: it is. */
export function refusalOf({ spec }: PersistentVolumeClaim, found: StorageClass): string | null {
  if (found.volumeBindingMode !== 'WaitForFirstConsumer') {
    return `volumes of ${LOCAL_PROVISIONER} are made where their first pod runs: class "${found.metadata.name}" needs volumeBindingMode WaitForFirstConsumer`
  }
  if (spec.selector) return 'claim Selector is not supported'
  if (spec.volumeMode === 'Block') return 'raw block volumes are not supported: ask for volumeMode Filesystem'
  if (spec.dataSource ?? spec.dataSourceRef) return 'volumes that begin as a copy are not supported: leave dataSource out'
  const other = spec.accessModes?.find((mode) => !ONE_NODE.includes(mode))
  return other ? `access mode ${other} is not supported: a folder on one node can be ReadWriteOnce or ReadWriteOncePod` : null
}

export function volumeFor(claim: PersistentVolumeClaim, found: StorageClass, node: Node, path: string): Draft<PersistentVolume> {
  const { name, namespace = '', uid, resourceVersion } = claim.metadata
  const hostname = node.metadata.labels?.[HOSTNAME] ?? node.metadata.name
  return {
    metadata: {
      name: volumeNameOf(claim),
      annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER, [ON_NODE]: node.metadata.name },
      finalizers: [LOCAL_VOLUME_FINALIZER],
    },
    spec: {
      capacity: { storage: storageOf(claim.spec.resources.requests) },
      accessModes: [...(claim.spec.accessModes ?? [])],
      volumeMode: 'Filesystem',
      storageClassName: storageClassOf(claim),
      persistentVolumeReclaimPolicy: found.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete',
      claimRef: { kind: claimKind.kind, apiVersion: 'v1', namespace, name, uid, resourceVersion },
      local: { path },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }] },
      },
    },
  }
}
