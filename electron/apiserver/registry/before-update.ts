/** What every update of an object goes through. Source: apiserver `registry/rest/update.go`. Pure: no store, no clock. */
import type { SubresourceStrategy } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { validateFinalizers, validateObjectMetaUpdate } from '../../api/meta/v1/validation.ts'
import { conflict, invalidObject, OPTIMISTIC_LOCK } from '../../machinery/status.ts'
import { invalid } from '../../api/values/field-error.ts'
import { thaw } from '../../machinery/freeze.ts'
import { generationChanged, hasGeneration, isBuiltIn } from './kind-rules.ts'
import type { Call } from './registry.ts'

/** Which part of the object a request may change: all but the status, the status, or what a subresource of its own allows. */
export type Part = 'main' | 'status' | SubresourceStrategy

/**
 * The version that the client saw must be the present one, unless it names none and the kind allows that. Fills it in.
 */
export function checkResourceVersion(call: Call, object: KubeObject, old: KubeObject): void {
  const { kind } = call.resource
  const asked = object.metadata.resourceVersion
  if (!asked || asked === '0') {
    if (kind.strategy.requireResourceVersion) {
      const wrong = invalid('metadata.resourceVersion', 0, 'must be specified for an update')
      throw invalidObject({ group: kind.group, kind: kind.resource }, call.name, [wrong])
    }
    object.metadata.resourceVersion = old.metadata.resourceVersion
  } else if (asked !== old.metadata.resourceVersion) throw conflict(kind, call.name, OPTIMISTIC_LOCK)
}

/** A new object under an old name is another object. */
export function checkUid(call: Call, object: KubeObject, old: KubeObject, key: string): void {
  const { uid } = object.metadata
  if (!uid || uid === old.metadata.uid) return
  throw conflict(
    call.resource.kind,
    call.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ` +
      `UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
  )
}

/** Makes `object` what will be stored. */
export function prepareUpdate(call: Call, object: KubeObject, old: KubeObject, part: Part): void {
  const { kind } = call.resource
  const { strategy } = kind
  keepApart(call, object, old, part)
  keep(object, old, 'generation')
  if (part === 'status') strategy.prepareForStatusUpdate?.(object, old)
  else if (part === 'main') strategy.prepareForUpdate?.(object, old)
  else part.prepareForUpdate(object, old)
  if (!object.metadata.uid) object.metadata.uid = old.metadata.uid
  object.metadata.creationTimestamp = old.metadata.creationTimestamp
  if (old.metadata.deletionTimestamp) object.metadata.deletionTimestamp = old.metadata.deletionTimestamp
  if (object.metadata.deletionGracePeriodSeconds === undefined) keep(object, old, 'deletionGracePeriodSeconds')
}

/** A new generation for what its controller must look at anew. */
export function countGeneration(call: Call, object: KubeObject, old: KubeObject, part: Part): void {
  const { kind } = call.resource
  if (!hasGeneration(kind) || part === 'status' || !generationChanged(kind, object, old)) return
  object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

/** Throws 422 for what may not be stored. */
export function validateUpdate(call: Call, object: KubeObject, old: KubeObject, part: Part): void {
  const { kind } = call.resource
  const { strategy } = kind
  const errors = [
    ...validateObjectMetaUpdate(object.metadata, old.metadata, { standardFinalizers: isBuiltIn(kind) }),
    ...validateFinalizers(object.metadata.finalizers, 'metadata.finalizers'),
  ]
  if (part === 'status') errors.push(...(strategy.validateStatusUpdate?.(object, old) ?? []))
  else if (part !== 'main') errors.push(...part.validateUpdate(object, old))
  else {
    const own = strategy.validateChanged ? strategy.validateChanged(object, old) : strategy.validate?.(object)
    errors.push(...(own ?? []), ...(strategy.validateUpdate?.(object, old) ?? []))
  }
  if (errors.length > 0) throw invalidObject(kind, call.name, errors)
  for (const text of strategy.warnings?.(object, old) ?? []) call.warn(text)
}

/** Whether nothing holds the object back any more that was asked to go. */
export function goesWithUpdate(object: KubeObject, old: KubeObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0 || !old.metadata.deletionTimestamp) return false
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0
}

function keepApart(call: Call, object: KubeObject, old: KubeObject, part: Part): void {
  const { kind } = call.resource
  if (part === 'main' && kind.subresources['status']) put(fields(object), 'status', thaw(fields(old)['status']))
  if (part !== 'status') return
  // Nobody changes these from here on, so they need no copy.
  const names = new Set([...Object.keys(object), ...Object.keys(old)])
  for (const field of names)
    if (!['metadata', 'status', 'kind', 'apiVersion'].includes(field)) put(fields(object), field, fields(old)[field])
  if (isBuiltIn(kind)) return
  const { managedFields, resourceVersion } = object.metadata
  object.metadata = { ...old.metadata, resourceVersion }
  if (managedFields) object.metadata.managedFields = managedFields
}

function put(object: Record<string, unknown>, field: string, value: unknown): void {
  if (value === undefined) delete object[field]
  else object[field] = value
}

function keep(object: KubeObject, old: KubeObject, field: 'generation' | 'deletionGracePeriodSeconds'): void {
  const value = old.metadata[field]
  if (value === undefined) delete object.metadata[field]
  else object.metadata[field] = value
}

function fields(object: KubeObject): Record<string, unknown> {
  return object as unknown as Record<string, unknown>
}
