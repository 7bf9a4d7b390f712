/** PATCH. Source: apiserver `endpoints/handlers/patch.go`. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { applyRequest } from '../../machinery/apply/request.ts'
import type { DecodedRequest } from '../../machinery/decode/request.ts'
import type { JsonObject } from '../../machinery/json-value.ts'
import { patchObject, type PatchType } from '../../machinery/patch/request.ts'
import { conflict, notFound } from '../../machinery/status.ts'
import { requesterOf } from './managed-fields.ts'
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
 * than the present one fails with 409. An apply makes the object if there is none.
 */
export async function patch(
  registry: Registry,
  call: Call,
  request: PatchRequest,
  part: Subresource | null,
  parameters: WriteParameters,
  mayCreate: () => Promise<void>,
): Promise<Updated> {
  const kind = part?.kind ?? call.resource.kind
  const decoded = (live: KubeObject | null): DecodedRequest<KubeObject> => {
    if (request.type === 'apply') return apply(registry, call, kind, live, request.body, parameters)
    if (!live) throw notFound(call.resource.kind, call.name)
    return patchObject(live, request.type, request.body, registry.types.codec(kind), parameters.fieldValidation)
  }
  const make = (old: KubeObject | null) => {
    const { object, warnings } = decoded(old && shown(part, old))
    for (const text of warnings) call.warn(text)
    kind.strategy.defaults?.(object)
    return merged(part, old, object)
  }
  const applies = request.type === 'apply'
  const change = {
    part: part?.part ?? 'main',
    make,
    tracked: applies && !part?.read,
    createIfAbsent: applies,
    mayCreate,
    options: 'PatchOptions' as const,
    shownAs: part,
  }
  return update(registry, call, change, parameters)
}

function apply(
  registry: Registry,
  call: Call,
  kind: AnyKind,
  live: KubeObject | null,
  body: Uint8Array,
  parameters: WriteParameters,
): DecodedRequest<KubeObject> {
  const requester = requesterOf(registry, call, parameters)
  const request = { body, requester, force: parameters.force, validation: parameters.fieldValidation }
  const target = registry.targets.of(kind, call.subresource)
  const decoded = applyRequest(live as unknown as JsonObject | null, request, kind, target, registry.types.codec(kind))
  const { uid } = decoded.object.metadata
  if (!live && uid) {
    throw conflict(kind, call.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
  }
  return decoded
}
