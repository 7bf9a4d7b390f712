/** How calls of `Client` are spelt on the wire; shared by every implementation. Source: Kubernetes API concepts, apimachinery meta/v1 options. */
import { apiVersionOf, pathOf, type AnyKind } from '../api/kind.ts'
import type { KubeObject, Draft } from '../api/meta/v1/object.ts'
import type { DeleteOptions } from '../api/meta/v1/types.gen.ts'
import { badRequest } from '../machinery/status.ts'
import type { CallOptions, GetOptions, ListOptions, Name, Patch, RawRequest, WatchOptions, WriteOptions } from './client.ts'

type Query = NonNullable<RawRequest['query']>

export const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

const JSON_TYPE = { 'content-type': 'application/json' }

export function getRequest(kind: AnyKind, at: Name, options: GetOptions = {}): RawRequest {
  return {
    method: 'GET',
    path: objectPath(kind, at, options.subresource),
    query: { resourceVersion: options.resourceVersion },
    ...signalOf(options),
  }
}

export function listRequest(kind: AnyKind, options: ListOptions = {}): RawRequest {
  return { method: 'GET', path: pathOf(kind, options.namespace), query: listQuery(options), ...signalOf(options) }
}

export function watchRequest(kind: AnyKind, options: WatchOptions = {}): RawRequest {
  return {
    method: 'GET',
    path: pathOf(kind, options.namespace),
    query: {
      watch: 'true',
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
      allowWatchBookmarks: options.allowWatchBookmarks ? 'true' : undefined,
      sendInitialEvents: options.sendInitialEvents === undefined ? undefined : String(options.sendInitialEvents),
      timeoutSeconds: options.timeoutSeconds === undefined ? undefined : String(options.timeoutSeconds),
    },
    ...signalOf(options),
  }
}

/** POST to the collection, or with a subresource to that part of the named object. */
export function createRequest<T extends KubeObject>(kind: AnyKind, object: Draft<T>, options: WriteOptions = {}): RawRequest {
  const { name, namespace } = metadataOf(object)
  const path = options.subresource
    ? objectPath(kind, { name: name ?? '', namespace }, options.subresource)
    : pathOf(kind, scopeOf(kind, namespace))
  return { method: 'POST', path, query: writeQuery(options), headers: JSON_TYPE, body: encode(kind, object, options), ...signalOf(options) }
}

export function updateRequest<T extends KubeObject>(kind: AnyKind, object: T, options: WriteOptions = {}): RawRequest {
  return {
    method: 'PUT',
    path: objectPath(kind, object.metadata, options.subresource),
    query: writeQuery(options),
    headers: JSON_TYPE,
    body: encode(kind, object, options),
    ...signalOf(options),
  }
}

export function patchRequest(kind: AnyKind, at: Name, patch: Patch, options: WriteOptions = {}): RawRequest {
  return {
    method: 'PATCH',
    path: objectPath(kind, at, options.subresource),
    query: { ...writeQuery(options), force: patch.type === 'apply' && patch.force ? 'true' : undefined },
    headers: { 'content-type': PATCH_TYPES[patch.type] },
    body: JSON.stringify(patch.body),
    ...signalOf(options),
  }
}

export function deleteRequest(kind: AnyKind, at: Name, options: Draft<DeleteOptions> & CallOptions = {}): RawRequest {
  const { signal, ...rest } = options
  return { method: 'DELETE', path: objectPath(kind, at), ...deleteBody(rest), ...signalOf({ signal }) }
}

export function deleteCollectionRequest(kind: AnyKind, options: ListOptions & { delete?: Draft<DeleteOptions> }): RawRequest {
  const { delete: rest = {}, ...list } = options
  return { method: 'DELETE', path: pathOf(kind, list.namespace), query: listQuery(list), ...deleteBody(rest), ...signalOf(options) }
}

/** A path with its query, as it stands in a request line. */
export function target(request: Pick<RawRequest, 'path' | 'query'>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (typeof value === 'string') query.append(name, value)
    else for (const one of value ?? []) query.append(name, one)
  }
  const text = query.toString()
  return text ? `${request.path}?${text}` : request.path
}

function objectPath(kind: AnyKind, at: { name: string; namespace?: string | undefined }, subresource?: string): string {
  if (!at.name) throw badRequest('resource name may not be empty')
  return pathOf(kind, scopeOf(kind, at.namespace), at.name, subresource)
}

function scopeOf(kind: AnyKind, namespace: string | undefined): string | undefined {
  if (!kind.namespaced) return undefined
  if (!namespace) throw badRequest(`an empty namespace may not be set for ${kind.resource}`)
  return namespace
}

function listQuery(options: ListOptions): Query {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
    limit: options.limit === undefined ? undefined : String(options.limit),
    continue: options.continue,
  }
}

function writeQuery(options: WriteOptions): Query {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: options.fieldValidation,
  }
}

function deleteBody(options: Draft<DeleteOptions>): Pick<RawRequest, 'headers' | 'body'> {
  if (!Object.keys(options).length) return {}
  return { headers: JSON_TYPE, body: JSON.stringify({ ...options, apiVersion: 'v1', kind: 'DeleteOptions' }) }
}

/** Callers may leave out what the path says already; a subresource may carry another kind, which says so itself. */
function encode(kind: AnyKind, object: object, options: WriteOptions): string {
  return JSON.stringify(options.subresource ? object : { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object })
}

function metadataOf(object: unknown): { name?: string; namespace?: string } {
  return (object as { metadata?: { name?: string; namespace?: string } }).metadata ?? {}
}

function signalOf(options: CallOptions): CallOptions {
  return options.signal ? { signal: options.signal } : {}
}
