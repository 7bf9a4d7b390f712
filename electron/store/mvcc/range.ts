import type { KeyValue, RangeRequest, RangeResponse } from '../store.ts'
import { StoreError } from '../store.ts'
import type { Keyspace } from './keyspace.ts'
import { NO_VALUE, type ReadValue, toKeyValue, type Version } from './version.ts'

/** What a range request is answered with, as yet without values. */
export interface Chosen {
  readonly found: readonly Version[]
  readonly count: number
  readonly more: boolean
}

/**
 * Answers a range request of a store whose newest revision is `newest`, with the meaning of etcd's Range: `count` is of all keys in the
 * range; filters come before the sort, the sort before the limit.
 */
export function readRange(space: Keyspace, request: RangeRequest, newest: number, read: ReadValue): RangeResponse {
  return answerRange(chooseVersions(space, request, newest, read), request, newest, read)
}

/** `read` is asked for values only where the order depends on them. */
export function chooseVersions(space: Pick<Keyspace, 'walk'>, request: RangeRequest, newest: number, read: ReadValue): Chosen {
  const wanted = filterOf(request)
  const limit = request.limit || Number.POSITIVE_INFINITY
  const enough = request.countOnly ? 0 : request.sort ? Number.POSITIVE_INFINITY : limit + 1
  let count = 0
  let found: Version[] = []
  space.walk(request, request.revision || newest, (version) => {
    count++
    if (found.length < enough && (wanted === null || wanted(version))) found.push(version)
    return true
  })
  if (request.sort) found = sorted(found, request.sort, read)
  const more = found.length > limit
  if (more) found.length = limit
  return { found, count, more }
}

export function answerRange({ found, count, more }: Chosen, request: RangeRequest, newest: number, read: ReadValue): RangeResponse {
  const kvs = found.map((version): KeyValue => toKeyValue(version, request.keysOnly ? NO_VALUE : read(version)))
  return { revision: newest, kvs, count, more }
}

/** Throws unless `revision` can be read while `newest` is the store's; 0 and absent stand for the newest. */
export function checkReadable(space: Keyspace, revision: number | undefined, newest: number): void {
  if (!revision) return
  checkReached(revision, newest)
  if (revision < space.compactRevision) throw compacted(revision, space.compactRevision)
}

export function checkReached(revision: number, newest: number): void {
  if (revision > newest) throw new StoreError('futureRevision', `revision ${revision} is not there yet: the newest is ${newest}`)
}

export function compacted(revision: number, compactRevision: number): StoreError {
  return new StoreError('compacted', `revision ${revision} has been compacted: the oldest is ${compactRevision}`, { compactRevision })
}

function filterOf(request: RangeRequest): ((version: Version) => boolean) | null {
  const { minModRevision = 0, minCreateRevision = 0 } = request
  const maxModRevision = request.maxModRevision || Number.POSITIVE_INFINITY
  const maxCreateRevision = request.maxCreateRevision || Number.POSITIVE_INFINITY
  const all = minModRevision === 0 && minCreateRevision === 0 && maxModRevision === Infinity && maxCreateRevision === Infinity
  if (all) return null
  return ({ revision, createRevision }) =>
    revision >= minModRevision && revision <= maxModRevision && createRevision >= minCreateRevision && createRevision <= maxCreateRevision
}

/** Equal ones stay in order of their keys. */
function sorted(versions: Version[], sort: NonNullable<RangeRequest['sort']>, read: ReadValue): Version[] {
  const sign = sort.order === 'ascend' ? 1 : -1
  switch (sort.target) {
    case 'key':
      return sign === 1 ? versions : versions.reverse()
    case 'version':
      return versions.sort((a, b) => sign * (a.version - b.version))
    case 'create':
      return versions.sort((a, b) => sign * (a.createRevision - b.createRevision))
    case 'mod':
      return versions.sort((a, b) => sign * (a.revision - b.revision))
    case 'value':
      return versions
        .map((version) => ({ version, value: read(version) }))
        .sort((a, b) => sign * Buffer.compare(a.value, b.value))
        .map(({ version }) => version)
  }
}
