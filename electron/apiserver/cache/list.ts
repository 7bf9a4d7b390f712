/**
 * LIST as Kubernetes promises it (API concepts, "Semantics for get and list"): consistent by default, at least as new as, or exactly
 * at a resourceVersion, and in chunks that show one state however long the client takes.
 */
import { deadline, type Clock } from '../../base/clock.ts'
import { badRequest, failure, type StatusError } from '../../machinery/status.ts'
import { prefixRange, StoreError, type RangeResponse, type Store } from '../../store/store.ts'
import { decodeContinue, encodeContinue, INCONSISTENT } from './continue-token.ts'
import type { Entry } from './entry.ts'
import type { WatchCache } from './watch-cache.ts'

export interface ListRequest {
  /** "/registry/pods/default/" */
  readonly prefix: string
  /** The one key that a selector allows. */
  readonly key?: string
  /** Null: all. */
  readonly matches: ((entry: Entry) => boolean) | null
  /** What must be done before `matches` can look at entries. */
  readonly prepare?: (entries: readonly Entry[]) => Promise<void>
  readonly resourceVersion: string
  readonly match: '' | 'Exact' | 'NotOlderThan'
  /** 0: no limit. */
  readonly limit: number
  readonly continueToken: string
  readonly signal?: AbortSignal
}

export interface ListResult {
  readonly entries: readonly Entry[]
  readonly revision: number
  readonly continueToken?: string
  /** Absent where selectors make it unknown. */
  readonly remaining?: number
}

/** How long a request waits for a revision that the server has not seen yet, in milliseconds. */
const FUTURE_WAIT_MS = 3000
const MAX_PAGE = 10_000

export interface Lister {
  readonly cache: WatchCache
  readonly store: Store
  readonly clock: Clock
}

export async function list(from: Lister, request: ListRequest): Promise<ListResult> {
  const { cache } = from
  if (request.continueToken !== '') return listOn(from, request)
  const wanted = parseRevision(request.resourceVersion)
  const exact = request.match === 'Exact' || (request.match === '' && wanted > 0 && request.limit > 0)
  if (wanted > 0) await waitFor(from, wanted, request.signal)
  else if (request.resourceVersion === '') await cache.fresh()
  else await cache.ready()
  if (exact && wanted < cache.lastChange) return listPast(from, request, wanted, request.prefix)
  const limit = request.resourceVersion === '0' ? 0 : request.limit
  return chunk(request, cached(cache, request, request.prefix), exact ? wanted : cache.revision, limit)
}

/** The next chunk: of the state that the first one showed, or after "inconsistent" tokens of the present one. */
async function listOn(from: Lister, request: ListRequest): Promise<ListResult> {
  const token = decodeContinue(request.continueToken)
  if (request.resourceVersion !== '' && request.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const start = request.prefix + token.start
  await from.cache.fresh()
  if (token.revision === INCONSISTENT || token.revision >= from.cache.lastChange) {
    // A state that is still the present one is forgotten all the same: clients rely on tokens that expire.
    if (token.revision !== INCONSISTENT && token.revision <= from.cache.revision) {
      await readPast(from, request, { key: start, revision: token.revision, limit: 1 })
    }
    const revision = token.revision === INCONSISTENT ? from.cache.revision : token.revision
    return chunk(request, cached(from.cache, request, start), revision, request.limit)
  }
  return listPast(from, request, token.revision, start)
}

function cached(cache: WatchCache, request: ListRequest, start: string): readonly Entry[] {
  if (request.key === undefined) return cache.slice(request.prefix, start)
  const entry = request.key >= start ? cache.get(request.key) : undefined
  return entry ? [entry] : []
}

/** Cuts a whole list down to what was asked for. */
async function chunk(request: ListRequest, all: readonly Entry[], revision: number, limit: number): Promise<ListResult> {
  const { matches, prepare } = request
  if (prepare) await prepare(all)
  if (limit === 0 || all.length <= limit) return { entries: matches ? all.filter(matches) : all, revision }
  if (!matches) {
    const entries = all.slice(0, limit)
    return { entries, revision, continueToken: tokenAfter(request, entries.at(-1), revision), remaining: all.length - limit }
  }
  const entries: Entry[] = []
  for (const entry of all) {
    if (!matches(entry)) continue
    if (entries.length === limit) return { entries, revision, continueToken: tokenAfter(request, entries.at(-1), revision) }
    entries.push(entry)
  }
  return { entries, revision }
}

/** From the store's history. */
async function listPast(from: Lister, request: ListRequest, revision: number, start: string): Promise<ListResult> {
  const { matches, limit } = request
  const { end } = request.key === undefined ? prefixRange(request.prefix) : prefixRange(request.key)
  const entries: Entry[] = []
  let key = request.key !== undefined && request.key > start ? request.key : start
  for (;;) {
    const page = await readPast(from, request, { key, end, revision, limit: limit > 0 ? limit - entries.length : MAX_PAGE })
    const found = page.kvs.filter(({ key: one }) => request.key === undefined || one === request.key).map((kv) => from.cache.entryOf(kv))
    if (request.prepare) await request.prepare(found)
    for (const entry of found) if (!matches || matches(entry)) entries.push(entry)
    const last = page.kvs.at(-1)
    if (!page.more || !last) return { entries, revision }
    if (limit > 0 && entries.length === limit) {
      const continueToken = encodeContinue({ revision, start: `${last.key.slice(request.prefix.length)}\0` })
      return matches ? { entries, revision, continueToken } : { entries, revision, continueToken, remaining: page.count - page.kvs.length }
    }
    key = `${last.key}\0`
  }
}

async function readPast(
  from: Lister,
  request: ListRequest,
  range: { key: string; end?: string; revision: number; limit: number },
): Promise<RangeResponse> {
  try {
    return await from.store.range(range)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'compacted') throw tooOld(request, range.key)
    throw error
  }
}

function tokenAfter(request: ListRequest, last: Entry | undefined, revision: number): string {
  return encodeContinue({ revision, start: `${last?.key.slice(request.prefix.length) ?? ''}\0` })
}

/** 410; where a chunked list was under way, with a token to take the rest from the present state. */
function tooOld(request: ListRequest, at: string): StatusError {
  if (request.continueToken === '') return failure(410, 'Expired', 'The resourceVersion for the provided list is too old.')
  const error = failure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue ' +
      'parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided ' +
      'token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was ' +
      'returned and now may show up in the list.',
  )
  error.status.metadata = { continue: encodeContinue({ revision: INCONSISTENT, start: at.slice(request.prefix.length) }) }
  return error
}

/** Decimal, or 0 for "". Throws StatusError `BadRequest`. */
export function parseRevision(text: string): number {
  if (text === '') return 0
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const why = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax'
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`,
  )
}

/** Resolves when the cache is at `revision`; StatusError 504 if that takes more than three seconds. */
export async function waitFor(from: Lister, revision: number, signal?: AbortSignal): Promise<void> {
  if (revision <= from.cache.revision) return
  using limit = deadline(from.clock, FUTURE_WAIT_MS, signal)
  try {
    await from.cache.reached(revision, limit.signal)
  } catch (error) {
    if (!limit.signal.aborted || signal?.aborted) throw error
    throw failure(504, 'Timeout', `Timeout: Too large resource version: ${revision}, current: ${from.cache.revision}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    })
  }
}
