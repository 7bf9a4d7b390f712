import type { Key, KeyRange, LeaseId } from '../store.ts'
import { ChangeLog } from './change-log.ts'
import type { Outlived } from './past.ts'
import { SortedKeys } from './sorted-keys.ts'
import { type ChangeRecord, type KeyEntry, NO_VALUE, Version, versionAt } from './version.ts'

/** Told when a key comes to hang on a lease, and when it no longer does. */
export interface LeaseAttachments {
  attach(lease: LeaseId, key: Key): void
  detach(lease: LeaseId, key: Key): void
}

/** Reads below `revision` are refused from now on; `keys` is how many keys exist at it. */
export interface Compaction {
  readonly revision: number
  readonly keys: number
  /** No change of the revision itself is kept: it deleted something, and came from an etcd, which forgets that. */
  readonly bare?: boolean
}

/**
 * All retained versions of all keys, with what is proposed but not durable yet at the head. A reader says at which revision it reads;
 * a transaction reads and writes at `revision + 1` and ends with `advance`.
 */
export class Keyspace {
  #entries = new SortedKeys<KeyEntry>()
  readonly #log = new ChangeLog()
  #attachments: LeaseAttachments | null = null
  #revision = 1
  #compacted: Compaction = { revision: 0, keys: 0 }
  #seq = 0
  /** How many changes the transaction at the head has made so far. */
  #subs = 0
  #live = 0
  /** How many keys hang on leases. */
  #leased = 0

  /** Of the newest transaction, durable or not. A store without any change is at 1, as in etcd. */
  get revision(): number {
    return this.#revision
  }

  /** The oldest revision that can be read; 0 before the first compaction. */
  get compactRevision(): number {
    return this.#compacted.revision
  }

  /** How many keys exist. */
  get live(): number {
    return this.#live
  }

  /** Tells of what hangs on leases now, and from now on. */
  follow(attachments: LeaseAttachments): void {
    this.#attachments = attachments
    if (this.#leased === 0) return
    this.walk({ key: '\0', end: '\0' }, this.#revision, ({ key, lease }) => {
      if (lease !== 0n) attachments.attach(lease, key)
      return true
    })
  }

  get(key: Key, revision: number): Version | null {
    return versionAt(this.#entries.get(key), revision)
  }

  /** Visits what exists in the range at `revision`, in order of keys, until `visit` returns false. */
  walk(range: KeyRange, revision: number, visit: (version: Version) => boolean): void {
    this.#entries.walk(range, (entry) => {
      const version = versionAt(entry, revision)
      return version === null || visit(version)
    })
  }

  put(key: Key, value: Uint8Array, lease: LeaseId): Version {
    const revision = this.#revision + 1
    const entry = this.#entries.get(key) ?? this.#newEntry(key)
    const before = entry.head?.deleted === false ? entry.head : null
    const facts = {
      seq: ++this.#seq,
      revision,
      sub: this.#subs++,
      createRevision: before?.createRevision ?? revision,
      version: (before?.version ?? 0) + 1,
      lease,
      size: value.byteLength,
    }
    const version = new Version(entry, facts, value)
    this.#append(version)
    return version
  }

  /** Deletes what exists in the range; returns the deletions in order of keys. */
  delete(range: KeyRange): Version[] {
    const revision = this.#revision + 1
    const doomed: KeyEntry[] = []
    this.#entries.walk(range, (entry) => {
      if (entry.head?.deleted === false) doomed.push(entry)
      return true
    })
    return doomed.map((entry) => {
      const facts = { seq: ++this.#seq, revision, sub: this.#subs++, createRevision: 0, version: 0, lease: 0n, size: 0 }
      const version = new Version(entry, facts, NO_VALUE)
      this.#append(version)
      return version
    })
  }

  /** Ends a transaction that changed something: its revision is now the newest. */
  advance(): number {
    this.#subs = 0
    return ++this.#revision
  }

  /** Takes back the newest `count` changes, which are whole transactions or all of the one at the head; `revision` is the newest from now on. */
  undo(count: number, revision: number): void {
    for (let i = 0; i < count; i++) {
      const version = this.#log.pop()
      if (!version) throw new Error('more changes were to be undone than there are')
      const { entry } = version
      if (entry.head !== version) throw new Error('changes must be undone newest first')
      entry.head = version.prev
      const gone = entry.head === null || (entry.head.deleted && entry.head.revision <= this.#compacted.revision)
      if (gone) this.#entries.remove(entry.key)
      this.#count(version, version.prev)
      this.#moveLease(version, version.prev)
      this.#seq--
    }
    this.#revision = revision
    this.#subs = 0
  }

  /** All that is retained of the revisions up to `revision`, oldest first. */
  retained(revision: number): Version[] {
    const found: Version[] = []
    const from = this.#compacted.revision
    this.walk({ key: '\0', end: '\0' }, from, (version) => {
      if (version.revision < from) found.push(version)
      return true
    })
    found.sort((a, b) => a.seq - b.seq)
    return found.concat(this.changes(from, revision))
  }

  /** The changes from revision `from` to `to`, both included, of at most `limit` changes but never a part of a revision. */
  changes(from: number, to: number, limit = Number.POSITIVE_INFINITY): Version[] {
    const found: Version[] = []
    for (let i = this.#log.firstAt(from); ; i++) {
      const version = this.#log.at(i)
      if (!version || version.revision > to) break
      if (found.length >= limit && version.revision !== found.at(-1)?.revision) break
      found.push(version)
    }
    return found
  }

  /** What a compaction at `revision`, later than the last, will have to be told. */
  planCompaction(revision: number): Compaction {
    let { keys } = this.#compacted
    for (const version of this.changes(this.#compacted.revision + 1, revision)) {
      if (version.deleted) keys--
      else if (version.version === 1) keys++
    }
    return { revision, keys }
  }

  /**
   * Forgets what can be read only before the revision: versions replaced at or before it, and deletions before it. Deletions at
   * the revision stay known to watchers that begin there. Returns what is no longer needed.
   */
  compact(compaction: Compaction): Outlived<Version>[] {
    const { revision } = compaction
    const dropped: Outlived<Version>[] = []
    const kept = this.#log.firstAt(revision)
    const end = this.#log.firstAt(revision + 1)
    for (let i = 0; i < end; i++) {
      const version = this.#log.at(i) as Version
      if (version.prev && !version.prev.deleted) dropped.push({ version: version.prev, until: version.revision })
      version.prev = null
      if (!version.deleted) continue
      if (version.entry.head === version && this.#entries.get(version.key) === version.entry) this.#entries.remove(version.key)
      if (i < kept) dropped.push({ version, until: version.revision })
    }
    this.#log.drop(kept)
    this.#compacted = compaction
    return dropped
  }

  /**
   * Takes over changes that were made before, in their order, into an empty keyspace. All from the compacted revision on must be
   * there, and before it what existed then; what is there beside that comes back, as from `compact`. `accept` looks at each change
   * and the one of the same key before it.
   */
  restore(
    records: Iterable<ChangeRecord>,
    compaction: Compaction,
    accept: (record: ChangeRecord, prev: Version | null) => void,
  ): Outlived<Version>[] {
    const entries = new Map<Key, KeyEntry>()
    for (const record of records) {
      let entry = entries.get(record.key)
      if (!entry) entries.set(record.key, (entry = { key: record.key, head: null }))
      const version = new Version(entry, record, record.version === 0 ? NO_VALUE : null)
      accept(record, version.prev)
      this.#append(version)
      this.#revision = version.revision
      this.#seq = version.seq
    }
    this.#entries = new SortedKeys(entries)
    if (compaction.bare) this.#revision = Math.max(this.#revision, compaction.revision)
    return this.compact(compaction)
  }

  #newEntry(key: Key): KeyEntry {
    const entry: KeyEntry = { key, head: null }
    this.#entries.insert(entry)
    return entry
  }

  #append(version: Version): void {
    version.entry.head = version
    this.#log.push(version)
    this.#count(version.prev, version)
    this.#moveLease(version.prev, version)
  }

  #count(from: Version | null, to: Version | null): void {
    this.#live += (to?.deleted === false ? 1 : 0) - (from?.deleted === false ? 1 : 0)
  }

  #moveLease(from: Version | null, to: Version | null): void {
    const before = from?.lease ?? 0n
    const after = to?.lease ?? 0n
    if (before === after) return
    this.#leased += (after !== 0n ? 1 : 0) - (before !== 0n ? 1 : 0)
    const key = (from ?? to)?.key as Key
    if (before !== 0n) this.#attachments?.detach(before, key)
    if (after !== 0n) this.#attachments?.attach(after, key)
  }
}
