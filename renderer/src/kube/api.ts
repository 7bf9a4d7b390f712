/** Requests to the Kubernetes API as kubectl makes them; each fails with StatusFailure where the answer is no success. */
import { pathOf } from '../../../electron/api/kind.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Face } from '../face/face.ts'
import { StatusFailure } from '../face/failure.ts'
import type { ObjectRef } from './resources.ts'

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly accept?: string
  readonly body?: unknown
}

export interface ApiAnswer<T> {
  readonly body: T
  /** Texts of the answer's Warning headers. */
  readonly warnings: readonly string[]
}

export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const APPLY_PATCH = 'application/apply-patch+yaml'
/** Who the API server says made the UI's changes. */
export const FIELD_MANAGER = 'flotilla'

export async function send<T>(face: Face, call: ApiCall, signal?: AbortSignal): Promise<ApiAnswer<T>> {
  const { query, ...rest } = call
  const answer = await face.call('kube.request', { ...rest, ...(query ? { query: { ...query } } : {}) }, signal ? { signal } : {})
  if (answer.status >= 400) throw new StatusFailure(answer.status, answer.body)
  return { body: answer.body as T, warnings: answer.warnings }
}

export const pathTo = (ref: ObjectRef, subresource?: string): string => pathOf(ref.resource, ref.namespace, ref.name, subresource)

export async function getObject<T extends KubeObject>(face: Face, ref: ObjectRef, signal?: AbortSignal): Promise<T> {
  return (await send<T>(face, { method: 'GET', path: pathTo(ref) }, signal)).body
}
