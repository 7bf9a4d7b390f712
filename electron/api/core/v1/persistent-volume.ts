import { ageColumn } from '../../columns.ts'
import { defineKind, type Column } from '../../kind.ts'
import type { KubeObject } from '../../meta/v1/object.ts'
import { validateVolumeSpec, validateVolumeUpdate } from './persistent-volume-validation.ts'
import { defaultResourceList } from './resource-list.ts'
import type { PersistentVolume } from './types.gen.ts'

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

/** "RWO,RWX", in this order whatever the list's. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.keys(MODES)
    .filter((mode) => modes?.includes(mode))
    .map((mode) => MODES[mode])
    .join(',')
}

interface HasClass {
  readonly metadata: { annotations?: Record<string, string> }
  readonly spec: { storageClassName?: string }
}

/** By the annotation of old, which wins, or by the field. */
export function storageClassOf({ metadata, spec }: HasClass): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? ''
}

export const volumeModeColumn: Column<KubeObject & { readonly spec: { readonly volumeMode?: string } }> = {
  name: 'VolumeMode',
  type: 'string',
  priority: 1,
  description: 'Whether it is a file system or a block device',
  value: ({ spec }) => spec.volumeMode ?? '<unset>',
}

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.PersistentVolume',
  subresources: { status: true },
  columns: [
    { name: 'Capacity', type: 'string', description: 'Size', value: ({ spec }) => spec.capacity?.['storage'] ?? '0' },
    { name: 'Access Modes', type: 'string', description: 'How it may be mounted', value: ({ spec }) => accessModesText(spec.accessModes) },
    {
      name: 'Reclaim Policy',
      type: 'string',
      description: 'What becomes of it when its claim goes',
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: 'Phase',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? '')),
    },
    {
      name: 'Claim',
      type: 'string',
      description: 'Claim that has it',
      value: ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : ''),
    },
    { name: 'StorageClass', type: 'string', description: 'What made it', value: storageClassOf },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'Attributes that it has',
      value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    { name: 'Reason', type: 'string', description: 'Why it failed', value: ({ status }) => status.reason ?? '' },
    ageColumn,
    volumeModeColumn,
  ],
  strategy: {
    defaults({ spec, status }) {
      status.phase ??= 'Pending'
      spec.persistentVolumeReclaimPolicy ??= 'Retain'
      spec.volumeMode ??= 'Filesystem'
      if (spec.hostPath) spec.hostPath.type ??= ''
      defaultResourceList(spec.capacity)
    },
    prepareForCreate(volume) {
      volume.status = { phase: 'Pending' }
    },
    validate: validateVolumeSpec,
    validateUpdate: validateVolumeUpdate,
  },
})
