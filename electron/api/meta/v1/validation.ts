/**
 * What must hold for the metadata of any object. The generic server calls these; kinds check only what is theirs.
 * Sources: apimachinery `api/validation/objectmeta.go`, `meta/v1/validation`, kubernetes `core/validation` (finalizers).
 */
import { semanticEqual } from '../../values/equal.ts'
import { forbidden, invalid, invalidEach, required, tooLong, type FieldError } from '../../values/field-error.ts'
import { byteLength, nameIsDnsLabel, qualifiedName, labelValueErrors, type NameCheck } from '../../values/names.ts'
import type { ObjectMeta } from './object.ts'
import type { OwnerReference } from './types.gen.ts'

export const FIELD_IS_IMMUTABLE = 'field is immutable'
const MUST_NOT_BE_NEGATIVE = 'must be greater than or equal to 0'
const MAX_ANNOTATION_BYTES = 256 * 1024

/** Names of finalizers that need no domain. Kubernetes' own namespaces use "kubernetes". */
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

export interface MetaRules {
  readonly namespaced: boolean
  readonly validateName: NameCheck
  /** Kubernetes' built-in kinds refuse finalizers without a domain; custom resources do not. */
  readonly standardFinalizers?: boolean
}

/** On creation, with name, namespace and uid filled in. `field` is the path of the metadata. */
export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules, field = 'metadata'): FieldError[] {
  const out: FieldError[] = []
  if (meta.generateName) out.push(...invalidEach(`${field}.generateName`, meta.generateName, rules.validateName(meta.generateName, true)))
  if (!meta.name) out.push(required(`${field}.name`, 'name or generateName is required'))
  else out.push(...invalidEach(`${field}.name`, meta.name, rules.validateName(meta.name)))
  if (rules.namespaced) {
    if (!meta.namespace) out.push(required(`${field}.namespace`))
    else out.push(...invalidEach(`${field}.namespace`, meta.namespace, nameIsDnsLabel(meta.namespace)))
  } else if (meta.namespace) out.push(forbidden(`${field}.namespace`, 'not allowed on this type'))
  out.push(...nonNegative(`${field}.generation`, meta.generation))
  out.push(...validateLabels(meta.labels, `${field}.labels`))
  out.push(...validateAnnotations(meta.annotations, `${field}.annotations`))
  out.push(...validateOwnerReferences(meta.ownerReferences, `${field}.ownerReferences`))
  out.push(...validateFinalizers(meta.finalizers, `${field}.finalizers`))
  if (rules.standardFinalizers) out.push(...validateStandardFinalizers(meta.finalizers, `${field}.finalizers`))
  return out
}

/** On any update. What the server sets itself (uid, creation, deletion) must already be as in `old`. */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  rules: Pick<MetaRules, 'standardFinalizers'>,
  field = 'metadata',
): FieldError[] {
  const out: FieldError[] = []
  if (old.deletionTimestamp !== undefined) out.push(...validateNoNewFinalizers(meta.finalizers, old.finalizers, `${field}.finalizers`))
  if (!meta.resourceVersion) out.push(invalid(`${field}.resourceVersion`, meta.resourceVersion ?? '', 'must be specified for an update'))
  out.push(...nonNegative(`${field}.generation`, meta.generation))
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    out.push(invalid(`${field}.generation`, meta.generation ?? 0, 'must not be decremented'))
  for (const name of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    out.push(...immutable(`${field}.${name}`, meta[name], old[name]))
  }
  out.push(...validateLabels(meta.labels, `${field}.labels`))
  out.push(...validateAnnotations(meta.annotations, `${field}.annotations`))
  out.push(...validateOwnerReferences(meta.ownerReferences, `${field}.ownerReferences`))
  if (rules.standardFinalizers) out.push(...validateStandardFinalizers(meta.finalizers, `${field}.finalizers`))
  return out
}

export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(field, value, FIELD_IS_IMMUTABLE)]
}

/** For optional numbers as well: absent is fine. */
export function nonNegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(field, value, MUST_NOT_BE_NEGATIVE)] : []
}

export function positive(field: string, value: number): FieldError[] {
  return value > 0 ? [] : [invalid(field, value, 'must be greater than zero')]
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...validateLabelName(key, field),
    ...invalidEach(field, value, labelValueErrors(value)),
  ])
}

export function validateLabelName(name: string, field: string): FieldError[] {
  return invalidEach(field, name, qualifiedName(name))
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  const entries = Object.entries(annotations ?? {})
  const out = entries.flatMap(([key]) => invalidEach(field, key, qualifiedName(key.toLowerCase())))
  const size = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)
  if (size > MAX_ANNOTATION_BYTES) out.push(tooLong(field, MAX_ANNOTATION_BYTES))
  return out
}

export function validateOwnerReferences(references: readonly OwnerReference[] | undefined, field: string): FieldError[] {
  const out: FieldError[] = []
  let controller = ''
  for (const reference of references ?? []) {
    out.push(...validateOwnerReference(reference, field))
    if (!reference.controller) continue
    const named = `${reference.kind}/${reference.name}`
    if (controller) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${named}`
      out.push(invalid(field, references, why))
    } else controller = named
  }
  return out
}

function validateOwnerReference(reference: OwnerReference, field: string): FieldError[] {
  const out: FieldError[] = []
  const { apiVersion, kind, name, uid } = reference
  const version = /^(?:[^/]*\/)?([^/]+)$/.exec(apiVersion)?.[1]
  if (!version) out.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'))
  if (!kind) out.push(invalid(`${field}.kind`, kind, 'must not be empty'))
  if (!name) out.push(invalid(`${field}.name`, name, 'must not be empty'))
  if (!uid) out.push(invalid(`${field}.uid`, uid, 'must not be empty'))
  if (apiVersion === 'v1' && kind === 'Event') out.push(invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'))
  return out
}

export function validateFinalizers(finalizers: readonly string[] | undefined, field: string): FieldError[] {
  const list = finalizers ?? []
  const out = list.flatMap((name) => invalidEach(field, name, qualifiedName(name)))
  if (list.includes('orphan') && list.includes('foregroundDeletion')) {
    out.push(invalid(field, list, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return out
}

function validateStandardFinalizers(finalizers: readonly string[] | undefined, field: string): FieldError[] {
  return (finalizers ?? []).flatMap((name, i) => validateStandardFinalizer(name, `${field}[${i}]`))
}

export function validateStandardFinalizer(name: string, field: string): FieldError[] {
  return name.includes('/') || STANDARD_FINALIZERS.has(name)
    ? []
    : [invalid(field, name, 'name is neither a standard finalizer name nor is it fully qualified')]
}

function validateNoNewFinalizers(
  finalizers: readonly string[] | undefined,
  old: readonly string[] | undefined,
  field: string,
): FieldError[] {
  const extra = [...new Set(finalizers)].filter((name) => !old?.includes(name)).sort()
  if (!extra.length) return []
  const list = extra.map((name) => JSON.stringify(name)).join(', ')
  return [forbidden(field, `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`)]
}
