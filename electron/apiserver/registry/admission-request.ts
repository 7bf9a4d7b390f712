import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { AdmissionRequest } from '../types.ts'
import type { Call } from './registry.ts'

export function admissionRequest(
  call: Call,
  operation: AdmissionRequest['operation'],
  object: KubeObject | null,
  old: KubeObject | null,
): AdmissionRequest {
  return {
    operation,
    kind: call.resource.kind,
    subresource: call.subresource,
    namespace: call.namespace,
    name: call.name || (object?.metadata.name ?? ''),
    object,
    old,
    user: call.user,
    signal: call.signal,
  }
}
