import { type Compaction, Keyspace } from './keyspace.ts'
import type { Outlived } from './past.ts'
import type { ChangeRecord, Version } from './version.ts'

export interface Restored {
  readonly space: Keyspace
  /** Still stored, but no longer of use: the rest of a compaction that was interrupted. */
  readonly dead: readonly Outlived<Version>[]
}

/**
 * Builds a keyspace from stored changes, in their order, and makes sure that none is missing: from the compacted revision on, every
 * change and every revision follows the one before; each version of a key follows the version before; and as many keys existed at
 * the compacted revision as were counted then. Throws what `broken` makes of a description.
 */
export function restoreKeyspace(records: Iterable<ChangeRecord>, base: Compaction, broken: (where: string) => Error): Restored {
  const space = new Keyspace()
  let last: ChangeRecord | null = null
  const dead = space.restore(records, base, (record, prev) => {
    const gap = gapBefore(record, last, base) ?? misfit(record, prev, base.revision)
    if (gap !== null) throw broken(gap)
    last = record
  })
  if (space.revision < base.revision) throw broken(`it ends at revision ${space.revision}, but is compacted at ${base.revision}`)
  if (base.revision === 0) return { space, dead }
  const keys = keysAt(space, base.revision)
  if (keys !== base.keys) throw broken(`it has ${keys} keys of revision ${base.revision}, where ${base.keys} were`)
  return { space, dead }
}

/** The newest revision that has no change: a store begins at 1. */
const FIRST = 1

function gapBefore(record: ChangeRecord, last: ChangeRecord | null, base: Compaction): string | null {
  const { seq, revision } = record
  const { revision: compactRevision, bare = false } = base
  const before = Math.max(last?.revision ?? 0, FIRST)
  if (revision < before) return `change ${seq} of revision ${revision} comes after revision ${before}`
  if (revision < compactRevision) return null
  if (last === null || last.revision < compactRevision) {
    const first = Math.max(bare ? compactRevision + 1 : compactRevision, FIRST + 1)
    return revision === first ? null : `the changes of revision ${first} are missing`
  }
  if (seq !== last.seq + 1) return `change ${last.seq + 1} is missing`
  return revision <= before + 1 ? null : `the changes of revision ${before + 1} are missing`
}

function misfit(record: ChangeRecord, prev: Version | null, compactRevision: number): string | null {
  const { revision, seq } = record
  // The version before one of the compacted revision or earlier need not be there.
  if (revision <= compactRevision) return null
  const before = prev?.deleted === false ? prev : null
  const fits =
    record.version === 0
      ? before !== null
      : record.version === (before?.version ?? 0) + 1 && record.createRevision === (before?.createRevision ?? revision)
  return fits ? null : `change ${seq} does not follow the version of its key before it`
}

function keysAt(space: Keyspace, revision: number): number {
  let keys = 0
  space.walk({ key: '\0', end: '\0' }, revision, () => {
    keys++
    return true
  })
  return keys
}
