/** PATCH. Source: apiserver `endpoints/handlers/patch.go`. */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { patchObject, type PatchType } from '../../machinery/patch/request.ts'
import { notFound } from '../../machinery/status.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'
import { merged, shown, type Subresource } from './subresource.ts'
import { update, type Updated } from './update.ts'

export interface PatchRequest {
  readonly type: PatchType | 'apply'
  /** As it came: JSON, or YAML for an apply. */
  readonly body: Uint8Array
}

/**
 * A patch that names no resourceVersion is tried again on the newer object as often as others are faster; one that names another
 * than the present one fails with 409.
 */
export async function patch(
  registry: Registry,
  call: Call,
  request: PatchRequest,
  part: Subresource | null,
  parameters: WriteParameters,
  mayCreate: () => Promise<void>,
): Promise<Updated> {
  const make = (old: KubeObject | null) => {
    if (!old) throw notFound(call.resource.kind, call.name)
    return merged(part, old, patched(registry, call, request, part, old, parameters))
  }
  return update(registry, call, { part: part?.part ?? 'main', make, createIfAbsent: false, mayCreate }, parameters)
}

function patched(
  registry: Registry,
  call: Call,
  request: PatchRequest,
  part: Subresource | null,
  old: KubeObject,
  parameters: WriteParameters,
): KubeObject {
  const kind = part?.kind ?? call.resource.kind
  if (request.type === 'apply') throw notFound(kind, call.name)
  const { object, warnings } = patchObject(
    shown(part, old),
    request.type,
    request.body,
    registry.types.codec(kind),
    parameters.fieldValidation,
  )
  for (const text of warnings) call.warn(text)
  kind.strategy.defaults?.(object)
  return object
}
