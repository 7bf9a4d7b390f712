/** GET, LIST and WATCH from the cache. */
import type { AnyKind } from '../../api/kind.ts'
import { badRequest, invalidObject, notFound } from '../../machinery/status.ts'
import { forbidden, notSupported, type FieldError } from '../../api/values/field-error.ts'
import { parseFieldSelector, type FieldSelector } from '../../machinery/selector/field-selector.ts'
import { parseLabelSelector } from '../../machinery/selector/label-selector.ts'
import { Bookmark, type CacheWatch, type WatchScope } from '../cache/cache-watch.ts'
import { ConvertedWatch } from '../cache/converted-watch.ts'
import type { Entry } from '../cache/entry.ts'
import { list as listFrom, type ListResult, parseRevision, waitFor } from '../cache/list.ts'
import type { Call, Registry } from './registry.ts'
import { viewOf } from './storage.ts'

/** The query of a LIST, WATCH or DELETECOLLECTION. Texts are "" where absent. */
export interface ListQuery {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly limit: number
  readonly continueToken: string
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | null
}

export async function get(registry: Registry, call: Call, resourceVersion: string): Promise<Entry> {
  const { storage } = call.resource
  const { cache } = storage
  const wanted = parseRevision(resourceVersion)
  if (wanted > 0) await waitFor({ cache, store: registry.store, clock: registry.clock }, wanted, call.signal)
  else if (resourceVersion === '') await cache.fresh()
  else await cache.ready()
  const entry = cache.get(storage.key(call.namespace, call.name))
  if (!entry) throw notFound(call.resource.kind, call.name)
  return viewOf(call.resource, entry)
}

export async function list(registry: Registry, call: Call, query: ListQuery): Promise<ListResult> {
  checkListQuery(query)
  const { cache } = call.resource.storage
  const selection = select(call, query)
  const result = await listFrom(
    { cache, store: registry.store, clock: registry.clock },
    {
      ...selection,
      ...(selection.byFields && call.resource.prepare ? { prepare: call.resource.prepare } : {}),
      ...(selection.exact ? { prefix: call.resource.storage.scope(call.namespace), key: selection.prefix } : {}),
      resourceVersion: query.resourceVersion,
      match: query.resourceVersionMatch === 'Exact' || query.resourceVersionMatch === 'NotOlderThan' ? query.resourceVersionMatch : '',
      limit: query.limit,
      continueToken: query.continueToken,
      signal: call.signal,
    },
  )
  const { resource } = call
  if (resource.prepare) await resource.prepare(result.entries)
  return { ...result, entries: resource.layout === resource.storage.layout ? result.entries : result.entries.map((e) => resource.view(e)) }
}

/** Throws StatusError `Expired` if the events after the wanted revision are no longer all known. */
export async function watch(registry: Registry, call: Call, query: ListQuery): Promise<CacheWatch> {
  checkWatchQuery(query)
  const { resource } = call
  const { prepare } = resource
  if (!prepare) return watchScope(registry, call, query, select(call, query))
  const { byFields } = select(call, query)
  const unselected = await watchScope(registry, call, query, select(call, { ...query, fieldSelector: '' }))
  const conversion = { prepare, view: (entry: Entry) => resource.view(entry) }
  return new ConvertedWatch(unselected, conversion, byFields ? ({ object }) => byFields.matches(object) : null)
}

async function watchScope(registry: Registry, call: Call, query: ListQuery, scope: WatchScope): Promise<CacheWatch> {
  const { cache } = call.resource.storage
  const wanted = parseRevision(query.resourceVersion)
  const state = query.sendInitialEvents ?? wanted === 0
  if (!state && wanted > 0) {
    await cache.ready()
    return cache.watch(scope, wanted)
  }
  if (wanted > 0) await waitFor({ cache, store: registry.store, clock: registry.clock }, wanted, call.signal)
  else if (query.resourceVersion === '') await cache.fresh()
  else await cache.ready()
  const ends = query.sendInitialEvents === true && query.allowWatchBookmarks
  return cache.watchFromNow(scope, { state, then: (revision) => (ends ? [new Bookmark(revision, true)] : []) })
}

interface Selection extends WatchScope {
  /** What it selects of objects beside their place and labels. */
  readonly byFields: FieldSelector | null
}

/** What a query covers, as the cache understands it. */
function select(call: Call, query: Pick<ListQuery, 'labelSelector' | 'fieldSelector'>): Selection {
  const { resource } = call
  const { kind, storage } = resource
  const labels = query.labelSelector ? parseLabelSelector(query.labelSelector) : null
  const fields = query.fieldSelector ? parseFieldSelector(query.fieldSelector, kind) : null
  const selected = fields?.exact('metadata.name') ?? ''
  if (call.name && fields && !fields.everything && selected !== call.name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name")
  }
  const name = selected || call.name
  const namespace = call.namespace || (kind.namespaced && fields?.exact('metadata.namespace')) || ''
  const exact = name !== '' && (namespace !== '' || !kind.namespaced)
  const byLabels = labels !== null && !labels.everything
  const byFields = fields !== null && !fields.everything && !(exact && fields.requirements.length === 1)
  const matches = (entry: Entry): boolean => {
    const object = byFields ? resource.view(entry).object : entry.object
    return (!byLabels || labels.matches(object.metadata.labels)) && (!byFields || fields.matches(object))
  }
  return {
    prefix: exact ? storage.key(namespace, name) : storage.scope(namespace),
    exact,
    matches: byLabels || byFields ? matches : null,
    byFields: byFields ? fields : null,
  }
}

function checkListQuery(query: ListQuery): void {
  const errors: FieldError[] = []
  const { resourceVersionMatch: match } = query
  if (match !== '') {
    const add = (detail: string) => errors.push(forbidden('resourceVersionMatch', detail))
    if (query.resourceVersion === '') add('resourceVersionMatch is forbidden unless resourceVersion is provided')
    if (query.continueToken !== '') add('resourceVersionMatch is forbidden when continue is provided')
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
    }
    if (match === 'Exact' && query.resourceVersion === '0') add('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
  if (query.sendInitialEvents !== null) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  refuse(errors)
}

function checkWatchQuery(query: ListQuery): void {
  const errors: FieldError[] = []
  const { resourceVersionMatch: match, sendInitialEvents: initial } = query
  const add = (detail: string) => errors.push(forbidden('resourceVersionMatch', detail))
  if (initial !== null && match !== 'NotOlderThan') add('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (match !== '') {
    if (initial === null) add('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']))
    if (query.continueToken !== '') add('resourceVersionMatch is forbidden when continue is provided')
  }
  refuse(errors)
}

const LIST_OPTIONS: Pick<AnyKind, 'group' | 'kind'> = { group: 'meta.k8s.io', kind: 'ListOptions' }

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(LIST_OPTIONS, '', errors)
}
