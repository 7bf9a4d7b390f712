import { Buffer } from 'node:buffer'
import type { LeaseId } from '../store.ts'
import type { ImageEntry, StoreImage } from './image.ts'

export interface Step {
  readonly key: string
  /** Absent: the key is deleted. */
  readonly value?: string | Uint8Array
  readonly lease?: LeaseId
  /** Belongs to the revision of the step before. */
  readonly same?: boolean
}

/** An image of what these steps make of an empty store, for tests. Nothing is compacted unless `compactRevision` says so. */
export function listedImage(steps: readonly Step[], options: { leases?: StoreImage['leases']; compactRevision?: number } = {}): StoreImage {
  const { leases = [], compactRevision = 0 } = options
  const all: ImageEntry[] = []
  const heads = new Map<string, ImageEntry>()
  let [revision, sub] = [1, 0]
  for (const { key, value, lease = 0n, same = false } of steps) {
    sub = same ? sub + 1 : 0
    revision += same ? 0 : 1
    const before = heads.get(key)
    const bytes = typeof value === 'string' ? Buffer.from(value) : (value ?? new Uint8Array(0))
    const facts = { key, revision, sub, value: bytes, size: bytes.byteLength }
    const entry: ImageEntry =
      value === undefined
        ? { ...facts, deleted: true, createRevision: 0, version: 0, lease: 0n }
        : { ...facts, deleted: false, createRevision: before?.createRevision || revision, version: (before?.version ?? 0) + 1, lease }
    heads.set(key, entry)
    all.push(entry)
  }
  const kept = all.filter((entry, i) => {
    if (entry.revision > compactRevision) return true
    if (entry.deleted) return entry.revision === compactRevision
    return !all.some((later, j) => j > i && later.key === entry.key && later.revision <= compactRevision)
  })
  const batches = async function* () {
    for (let i = 0; i < kept.length; i += 100) yield kept.slice(i, i + 100)
  }
  return { revision, compactRevision, leases, changes: batches, entries: batches, async [Symbol.asyncDispose]() {} }
}
