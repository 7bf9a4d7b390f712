import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { AdmissionRequest } from '../types.ts'
import type { Call, WriteParameters } from './registry.ts'

/** How the request is to be carried out, as admission tells others. */
export interface AdmissionOptions {
  readonly dryRun: boolean
  readonly options: Readonly<Record<string, unknown>>
  /** Of the object that was sent, where it is not of the resource's kind. */
  readonly sent?: AnyKind
}

/** `type` is that of the options: "CreateOptions". */
export function writeOptions(type: string, { dryRun, fieldManager, fieldValidation, force }: WriteParameters): AdmissionOptions {
  const options = {
    kind: type,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(force ? { force } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    fieldValidation,
  }
  return { dryRun, options }
}

export function admissionRequest(
  call: Call,
  operation: AdmissionRequest['operation'],
  object: KubeObject | null,
  old: KubeObject | null,
  how: AdmissionOptions,
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
    ...how,
    warn: (text) => call.warn(text),
    ...(call.annotate ? { annotate: call.annotate } : {}),
  }
}
