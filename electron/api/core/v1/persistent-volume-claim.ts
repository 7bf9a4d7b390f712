import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { compareQuantity, tryQuantity } from '../../values/quantity.ts'
import { unifiedDiff } from '../../values/unified-diff.ts'
import { validateClaimSpec } from './claim-spec.ts'
import { accessModesText, storageClassOf, volumeModeColumn } from './persistent-volume.ts'
import { defaultClaimSpec } from './pod-spec/defaults.ts'
import { claimWarnings } from './pod-spec/warnings.ts'
import { isNativeResource } from './resource-names.ts'
import { defaultResourceList } from './resource-list.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from './types.gen.ts'

const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort()

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  subresources: { status: true },
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'Phase',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? '')),
    },
    { name: 'Volume', type: 'string', description: 'The volume that it got', value: ({ spec }) => spec.volumeName ?? '' },
    {
      name: 'Capacity',
      type: 'string',
      description: 'Size of that volume',
      value: ({ spec, status }) => (spec.volumeName ? (status.capacity?.['storage'] ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How that volume may be mounted',
      value: ({ spec, status }) => (spec.volumeName ? accessModesText(status.accessModes) : ''),
    },
    { name: 'StorageClass', type: 'string', description: 'What makes its volume', value: storageClassOf },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'Attributes that it asks for',
      value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    volumeModeColumn,
  ],
  strategy: {
    defaults({ spec, status }) {
      status.phase ??= 'Pending'
      defaultClaimSpec(spec)
      defaultResourceList(status.capacity)
      defaultResourceList(status.allocatedResources)
    },
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' }
      useOneSource(claim.spec)
    },
    validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
    validateUpdate: validateClaimUpdate,
    validateStatusUpdate: validateClaimStatus,
    warnings: ({ spec }) => claimWarnings(spec, 'spec'),
  },
})

/** Each of the two fields for a claim's source stands for the other (KEP-1495). */
function useOneSource(spec: PersistentVolumeClaimSpec): void {
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef
    spec.dataSource = source
  }
}

function validateClaimUpdate({ spec, status }: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const bound = status.phase === 'Bound'
  const before: PersistentVolumeClaimSpec = { ...old.spec, ...(old.spec.volumeName ? {} : { volumeName: spec.volumeName ?? '' }) }
  const after: PersistentVolumeClaimSpec = { ...spec, volumeName: spec.volumeName ?? '' }
  before.volumeName ??= ''
  if (old.spec.storageClassName === undefined) delete after.storageClassName
  const [size, oldSize] = [spec.resources.requests?.['storage'], old.spec.resources.requests?.['storage']]
  if (bound && spec.resources.requests && oldSize !== undefined) {
    after.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: oldSize } }
  }
  if (bound) {
    delete after.volumeAttributesClassName
    delete before.volumeAttributesClassName
  }
  const out: FieldError[] = []
  if (!semanticEqual(after, before)) {
    const why = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    out.push(forbidden('spec', `${why}\n${unifiedDiff(before, after)}`))
  }
  const smaller = (a: string | undefined, b: string) => a !== undefined && !!tryQuantity(a) && compareQuantity(a, b) < 0
  const capacity = old.status.capacity?.['storage'] ?? '0'
  if (size !== undefined && oldSize !== undefined && smaller(size, oldSize) && compareQuantity(size, capacity) <= 0) {
    out.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  out.push(...immutable('volumeMode', spec.volumeMode, old.spec.volumeMode))
  const attributes = spec.volumeAttributesClassName
  if (old.status.currentVolumeAttributesClassName !== undefined && !attributes && attributes !== old.spec.volumeAttributesClassName) {
    const to = attributes === undefined ? 'nil' : 'empty string'
    const why = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`
    out.push(forbidden('spec.volumeAttributesClassName', why))
  }
  return out
}

function validateClaimStatus({ spec, status }: PersistentVolumeClaim): FieldError[] {
  const out = spec.accessModes?.length ? [] : [required('Spec.accessModes')]
  for (const list of ['capacity', 'allocatedResources'] as const) {
    for (const [name, quantity] of Object.entries(status[list] ?? {})) {
      if ((tryQuantity(quantity)?.unscaled ?? 0n) < 0n)
        out.push(invalid(`status.${list}[${name}]`, quantity, 'must be a valid resource quantity'))
    }
  }
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const at = 'status.allocatedResourceStatuses'
    if (isNativeResource(name) && name !== 'storage') out.push(notSupported(at, name, ['storage']))
    if (!RESIZE_STATES.includes(state)) out.push(notSupported(at, name, RESIZE_STATES))
  }
  return out
}
