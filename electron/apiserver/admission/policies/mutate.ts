/** What a mutation makes of an object. Source: apiserver `admission/plugin/policy/mutating/patch`. */
import { apiVersionOf, type AnyKind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { mergeConfiguration } from '../../../machinery/apply/merge.ts'
import { fieldElement, showElement } from '../../../machinery/apply/path-element.ts'
import { formatFaults, validateConfiguration } from '../../../machinery/apply/validate.ts'
import { CelError } from '../../../machinery/cel/errors.ts'
import { CelList, CelObject, type Value } from '../../../machinery/cel/values.ts'
import { isObject } from '../../../machinery/json-value.ts'
import { applyJsonPatch } from '../../../machinery/patch/json-patch.ts'
import type { StructType, Type } from '../../../machinery/schema/type.ts'
import { StatusError } from '../../../machinery/status.ts'
import { configurationOf, OBJECT } from '../expressions/patch-types.ts'

/** The mutation's result is none that can be carried out. */
export class MutationError extends Error {
  override readonly name = 'MutationError'
}

/** Throws MutationError. */
export function applyMutation(
  type: 'ApplyConfiguration' | 'JSONPatch',
  value: Value,
  object: KubeObject,
  kind: AnyKind,
  struct: StructType,
): unknown {
  try {
    return type === 'JSONPatch' ? patched(value, object) : merged(value, object, kind, struct)
  } catch (error) {
    if (error instanceof CelError) throw new MutationError(error.message, { cause: error })
    throw error
  }
}

function merged(value: Value, object: KubeObject, kind: AnyKind, struct: StructType): unknown {
  const configuration = configurationOf(value, OBJECT)
  const whole = { ...(isObject(configuration) ? configuration : {}), apiVersion: apiVersionOf(kind), kind: kind.kind }
  const faults = validateConfiguration(whole, struct)
  if (faults.length > 0)
    throw new MutationError(`error applying patch: failed to convert patch object to typed object: ${formatFaults(faults)}`)
  const atomic = atomics(whole, struct, '')
  if (atomic.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`
    throw new MutationError(`error applying patch: invalid ApplyConfiguration: ${why}`)
  }
  return mergeConfiguration(object, whole, struct)
}

/** Paths of what would be replaced as a whole: whoever changes a part of it would take away the rest. */
function atomics(value: unknown, type: Type, path: string): string[] {
  if (isObject(value) && (type.kind === 'struct' || type.kind === 'map')) {
    const own = type.atomic ? [path] : []
    const below = Object.entries(value).flatMap(([name, one]) => {
      const inner = type.kind === 'map' ? type.values : type.fields.get(name)?.type
      return inner ? atomics(one, inner, path + showElement(fieldElement(name))) : []
    })
    return [...own, ...below]
  }
  if (!Array.isArray(value) || type.kind !== 'list') return []
  const own = type.listType === 'atomic' ? [path] : []
  return [...own, ...value.flatMap((item, i) => atomics(item, type.items, `${path}[${i}]`))]
}

function patched(value: Value, object: KubeObject): unknown {
  if (!(value instanceof CelList)) throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array')
  const operations = [...value].map(operationOf)
  try {
    return applyJsonPatch(object, operations)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const why = error.status.details?.causes?.[0]?.message ?? error.message
    // A test that fails means that the patch is not for this object.
    if (why.startsWith('testing value ') && why.endsWith('test failed')) return object
    throw new MutationError(`JSON Patch: ${why}`, { cause: error })
  }
}

function operationOf(one: Value): Record<string, unknown> {
  if (!(one instanceof CelObject)) throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
  const operation: Record<string, unknown> = { op: one.get('op') ?? '', path: one.get('path') ?? '' }
  if (one.get('from')) operation['from'] = one.get('from')
  if (one.has('value')) operation['value'] = configurationOf(one.get('value') ?? null, null)
  return operation
}
