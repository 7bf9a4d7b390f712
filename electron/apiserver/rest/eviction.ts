/** pods/eviction: a delete that asks first. Source: kubernetes `registry/core/pod/storage/eviction.go`. */
import { eviction as evictionKind } from '../../api/policy/v1/eviction.ts'
import type { Eviction } from '../../api/policy/v1/types.gen.ts'
import { badRequest, type Status } from '../../machinery/status.ts'
import { remove } from '../registry/delete.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import type { Subresource } from '../registry/subresource.ts'

export function eviction(registry: Registry): Subresource {
  return { kind: evictionKind, part: 'main', create: (call, object, parameters) => evict(registry, call, object, parameters) }
}

async function evict(registry: Registry, call: Call, sent: Eviction, parameters: WriteParameters): Promise<Status> {
  if (sent.metadata.name && sent.metadata.name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  const { dryRun, ...options } = sent.deleteOptions ?? {}
  const dry = parameters.dryRun || (dryRun?.includes('All') ?? false)
  await remove(registry, call, { ...options, ...(dry ? { dryRun: ['All'] } : {}) })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}
