import { type KeyRange, type RangeRequest, type RangeResponse, StoreError, type StoreHistory, type WatchBatch } from '../store.ts'
import type { Keyspace } from './keyspace.ts'
import type { Past } from './past.ts'
import { answerRange, checkReached, chooseVersions } from './range.ts'
import { checkChanges, checkRange, checkTime } from './request.ts'
import { covers } from './sorted-keys.ts'
import { type ChangeRecord, NO_VALUE, type ReadValue, toEvent, Version } from './version.ts'

export interface HistoryDeps {
  readonly space: Keyspace
  readonly past: Past
  /** The newest durable revision. */
  readonly newest: () => number
  /** Answers what lies not before the compacted revision. */
  readonly range: (request: RangeRequest) => Promise<RangeResponse>
  /** Runs what the store does for a request, or refuses it because the store is closed. */
  readonly accept: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * Past states from two places: what is retained anyhow, and what compactions took away. The one is looked at in the turn in which the
 * other is asked, so that a version is in one of them at least; where both have it, it is the same.
 */
export function createHistory(deps: HistoryDeps): StoreHistory {
  const { accept, past, newest } = deps
  return {
    bounds: () =>
      accept(async () => {
        const { oldest, last } = await past.bounds()
        return { oldest, newest: { revision: newest(), time: last.time } }
      }),
    at: (time) =>
      accept(async () => {
        checkTime(time)
        const now = newest()
        const { moment, next } = await past.momentAt(time)
        const revision = Math.max(moment.revision, next === null ? now : next - 1)
        return { revision: Math.min(revision, now), time: moment.time }
      }),
    range: (request) => accept(() => rangeAt(deps, request)),
    changes: (request) => accept(() => changesOf(deps, request)),
  }
}

async function rangeAt({ space, past, newest, range }: HistoryDeps, request: RangeRequest): Promise<RangeResponse> {
  checkRange(request)
  const now = newest()
  const { revision = 0 } = request
  if (revision === 0 || revision >= space.compactRevision) return await range(request)
  const byKey = new Map<string, Version>()
  space.walk(request, revision, (version) => {
    byKey.set(version.key, version)
    return true
  })
  for (const record of await past.existing(request, revision)) if (!byKey.has(record.key)) byKey.set(record.key, asVersion(record))
  const versions = [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  const walk: Pick<Keyspace, 'walk'> = { walk: (_range, _revision, visit) => void versions.every(visit) }
  const sortedByValue = request.sort?.target === 'value' && !request.countOnly
  const all = sortedByValue ? await valuesOf(past, versions, revision) : null
  const chosen = chooseVersions(walk, request, now, all ?? (() => NO_VALUE))
  const read = all ?? (request.keysOnly ? () => NO_VALUE : await valuesOf(past, chosen.found, revision))
  return answerRange(chosen, request, now, read)
}

async function changesOf(
  { space, past, newest }: HistoryDeps,
  request: KeyRange & { readonly from: number; readonly to: number; readonly limit: number },
): Promise<(WatchBatch & { time: number })[]> {
  checkChanges(request)
  const { from, to, limit } = request
  checkReached(Math.max(from, to), newest())
  const bySeq = new Map<number, Version>()
  for (const version of retainedChanges(space, request)) bySeq.set(version.seq, version)
  if (from < space.compactRevision) {
    for (const record of await past.changed(request, from, to, limit)) if (!bySeq.has(record.seq)) bySeq.set(record.seq, asVersion(record))
  }
  const changes = [...bySeq.values()].sort((a, b) => a.seq - b.seq)
  const groups = [...Map.groupBy(changes, ({ revision }) => revision)].slice(0, limit)
  const versions = groups.flatMap(([, group]) => group)
  const read = await valuesOf(past, versions, from)
  const times = await past.times(groups.map(([revision]) => revision))
  return groups.map(([revision, group], i) => ({ revision, events: group.map((version) => toEvent(version, read)), time: times[i] ?? 0 }))
}

/** What is retained before the compacted revision is what existed at it; from then on it is the log. */
function retainedChanges(space: Keyspace, request: KeyRange & { readonly from: number; readonly to: number }): Version[] {
  const { from, to } = request
  const base: Version[] = []
  space.walk(request, space.compactRevision, (version) => {
    if (version.revision > from && version.revision <= to && version.revision < space.compactRevision) base.push(version)
    return true
  })
  return base.concat(space.changes(from + 1, to).filter(({ key }) => covers(request, key)))
}

async function valuesOf(past: Past, versions: readonly Version[], revision: number): Promise<ReadValue> {
  const missing = versions.filter(({ deleted, value }) => !deleted && value === null).map(({ seq }) => seq)
  const held = new Map(versions.flatMap(({ seq, value }) => (value === null ? [] : [[seq, value] as const])))
  const found = missing.length > 0 ? await past.values(missing, revision) : new Map<number, Uint8Array>()
  return (version) => {
    const value = version.deleted ? NO_VALUE : (held.get(version.seq) ?? found.get(version.seq))
    if (value === undefined)
      throw new StoreError('corrupt', `the value of ${JSON.stringify(version.key)} at revision ${version.revision} is missing`)
    return value
  }
}

function asVersion(record: ChangeRecord): Version {
  return new Version({ key: record.key, head: null }, record, null)
}
