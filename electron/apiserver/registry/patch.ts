/** PATCH. Source: apiserver `endpoints/handlers/patch.go`. */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { badRequest, hasReason } from '../../machinery/status.ts'
import { mergePatch } from '../adapter.ts'
import { thaw } from '../cache/thaw.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'
import { merged, shown, type Subresource } from './subresource.ts'
import { update, type Updated } from './update.ts'

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export interface PatchRequest {
  readonly type: PatchType
  readonly body: unknown
}

/** How often a patch that names no resourceVersion is tried again when others change the object at the same time. */
const CONFLICT_RETRIES = 5

export async function patch(
  registry: Registry,
  call: Call,
  request: PatchRequest,
  part: Subresource | null,
  parameters: WriteParameters,
  mayCreate: () => Promise<void>,
): Promise<Updated> {
  const make = (old: KubeObject | null) => {
    if (!old) throw badRequest('there is nothing to patch')
    return merged(part, old, patched(registry, call, request, part, old))
  }
  for (let tried = 0; ; tried++) {
    try {
      return await update(registry, call, { part: part?.part ?? 'main', make, mayCreate }, parameters)
    } catch (error) {
      if (!hasReason(error, 'Conflict') || tried >= CONFLICT_RETRIES || namesVersion(request)) throw error
    }
  }
}

function patched(registry: Registry, call: Call, request: PatchRequest, part: Subresource | null, old: KubeObject): KubeObject {
  if (request.type !== 'merge') throw badRequest(`unsupported patch type ${request.type}`)
  const kind = part?.kind ?? call.resource.kind
  return registry.types.fromValue(kind, mergePatch(thaw(shown(part, old)), request.body), 'Ignore', () => {})
}

/** A patch of the resourceVersion is the client's own check: it must not be tried on another version. */
function namesVersion(request: PatchRequest): boolean {
  const metadata = (request.body as { metadata?: { resourceVersion?: unknown } } | null)?.metadata
  return metadata?.resourceVersion !== undefined
}
