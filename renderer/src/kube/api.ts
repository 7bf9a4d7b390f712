/** Requests to the Kubernetes API as kubectl makes them; each fails with StatusFailure where the answer is no success. */
import { pathOf } from '../../../electron/api/kind.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Face } from '../face/face.ts'
import { StatusFailure } from '../face/failure.ts'
import type { ObjectRef, Resource } from './resources.ts'

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
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
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

/** A list as the server prints it (meta.k8s.io/v1 Table). */
export interface Table {
  readonly columnDefinitions: readonly TableColumn[]
  readonly rows: readonly TableRow[]
}
export interface TableColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
}
export interface TableRow {
  readonly cells: readonly (string | number | boolean | null)[]
  readonly object?: { readonly metadata?: KubeObject['metadata'] }
}

/** Null where the server does not print tables. */
export async function listTable(face: Face, resource: Resource, namespace?: string, signal?: AbortSignal): Promise<Table | null> {
  const path = pathOf(resource, namespace)
  const { body } = await send<Table & { kind?: string }>(
    face,
    { method: 'GET', path, accept: TABLE, query: { includeObject: 'Metadata' } },
    signal,
  )
  return body.kind === 'Table' ? body : null
}
