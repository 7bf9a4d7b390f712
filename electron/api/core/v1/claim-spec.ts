/** Checks of what a claim asks for, whether it stands alone or in a template. Source: kubernetes `core/validation`. */
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { validateAnnotations, validateLabels } from '../../meta/v1/validation.ts'
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Subdomain, nameIsDnsLabel, nameIsDnsSubdomain } from '../../values/names.ts'
import { tryQuantity } from '../../values/quantity.ts'
import { validateResourceQuantity } from './pod-spec/resources.ts'
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, TypedObjectReference } from './types.gen.ts'

export const ACCESS_MODES: readonly string[] = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem']

/** Of a template's metadata only labels and annotations are used, so nothing else may be set. */
export function validateClaimTemplate({ metadata, spec }: PersistentVolumeClaimTemplate, field: string): FieldError[] {
  const { labels, annotations, ...others } = metadata
  const set = Object.entries(others).filter(([, value]) => value !== undefined)
  return [
    ...validateAnnotations(annotations, `${field}.metadata.annotations`),
    ...validateLabels(labels, `${field}.metadata.labels`),
    ...set.map(([name]) => forbidden(`${field}.metadata.${name}`, 'cannot be set')),
    ...validateClaimSpec(spec, `${field}.spec`),
  ]
}

export function validateAccessModes(modes: readonly string[] | undefined, field: string, detail = ''): FieldError[] {
  if (!modes?.length) return [required(field, detail)]
  const out = modes.filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => notSupported(field, mode, ACCESS_MODES))
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  if (modes.includes('ReadWriteOncePod') && others) out.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'))
  return out
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, field: string): FieldError[] {
  const { storageClassName, volumeMode, dataSource, dataSourceRef, volumeAttributesClassName } = spec
  const out = validateAccessModes(spec.accessModes, `${field}.accessModes`, 'at least 1 access mode is required')
  out.push(...validateLabelSelector(spec.selector, `${field}.selector`))
  const at = `${field}.resources[storage]`
  const storage = spec.resources.requests?.['storage']
  if (storage === undefined) out.push(required(at))
  else if ((tryQuantity(storage)?.unscaled ?? 0n) <= 0n) out.push(invalid(at, storage, 'must be greater than zero'))
  else out.push(...validateResourceQuantity('storage', storage, at))
  if (storageClassName) out.push(...invalidEach(`${field}.storageClassName`, storageClassName, nameIsDnsSubdomain(storageClassName)))
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    out.push(notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES))
  if (dataSource) out.push(...validateDataSource(dataSource, `${field}.dataSource`))
  if (dataSourceRef) out.push(...validateDataSource(dataSourceRef, `${field}.dataSourceRef`))
  out.push(...validateBothSources(spec, field))
  if (volumeAttributesClassName) {
    out.push(...invalidEach(`${field}.volumeAttributesClassName`, volumeAttributesClassName, nameIsDnsSubdomain(volumeAttributesClassName)))
  }
  return out
}

function validateDataSource({ name, kind, apiGroup, namespace }: TypedObjectReference, field: string): FieldError[] {
  const out = name ? [] : [required(`${field}.name`)]
  if (!kind) out.push(required(`${field}.kind`))
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    out.push(invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
  if (apiGroup) out.push(...invalidEach(`${field}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup)))
  if (namespace) out.push(...invalidEach(`${field}.namespace`, namespace, nameIsDnsLabel(namespace)))
  return out
}

function validateBothSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, field: string): FieldError[] {
  if (!dataSource || !dataSourceRef) return []
  if (dataSourceRef.namespace)
    return [invalid(field, `${field}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified')]
  const same =
    dataSource.apiGroup === dataSourceRef.apiGroup && dataSource.kind === dataSourceRef.kind && dataSource.name === dataSourceRef.name
  return same ? [] : [invalid(field, `${field}.dataSource`, 'must match dataSourceRef')]
}
