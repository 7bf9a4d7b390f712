import type { Key, KeyValue, LeaseId, StoreEvent } from '../store.ts'

/** A key and its newest version, which may be a deletion or not durable yet. */
export interface KeyEntry {
  readonly key: Key
  head: Version | null
}

/** What is known of a change, without its value. */
export interface ChangeRecord {
  /** Position among all changes ever made to this store, from 1. Names the value on disk. */
  readonly seq: number
  readonly key: Key
  readonly revision: number
  /** Place among the changes of its revision, from 0. */
  readonly sub: number
  /** 0 for a deletion. */
  readonly createRevision: number
  /** 0 for a deletion. */
  readonly version: number
  readonly lease: LeaseId
  /** Of the value, in bytes. */
  readonly size: number
}

/**
 * One change of one key. The versions of a key are a chain from the newest to the oldest that is retained.
 *
 * Example: put a (revision 2), put a (4), delete a (7), put a (9) is the chain
 * `9: created 9, version 1` -> `7: deleted` -> `4: created 2, version 2` -> `2: created 2, version 1`.
 */
export class Version implements ChangeRecord {
  readonly entry: KeyEntry
  readonly seq: number
  readonly revision: number
  readonly sub: number
  readonly createRevision: number
  readonly version: number
  readonly lease: LeaseId
  readonly size: number
  /** The value while it is in memory. */
  value: Uint8Array | null
  /** Read since the cache last looked at it. */
  touched = false
  prev: Version | null

  /** Follows the entry's head, which the caller moves. */
  constructor(entry: KeyEntry, facts: Omit<ChangeRecord, 'key'>, value: Uint8Array | null) {
    this.entry = entry
    this.seq = facts.seq
    this.revision = facts.revision
    this.sub = facts.sub
    this.createRevision = facts.createRevision
    this.version = facts.version
    this.lease = facts.lease
    this.size = facts.size
    this.value = value
    this.prev = entry.head
  }

  get key(): Key {
    return this.entry.key
  }

  get deleted(): boolean {
    return this.version === 0
  }
}

/** What the key was at `revision`, or null if it did not exist. */
export function versionAt(entry: KeyEntry | undefined, revision: number): Version | null {
  let version = entry?.head ?? null
  while (version && version.revision > revision) version = version.prev
  return version && !version.deleted ? version : null
}

/** Finds the value of a version, wherever it is. Throws StoreError `corrupt` if it is damaged. */
export type ReadValue = (version: Version) => Uint8Array

export const NO_VALUE = new Uint8Array(0)

export function toKeyValue(version: Version, value: Uint8Array): KeyValue {
  return {
    key: version.entry.key,
    value,
    createRevision: version.createRevision,
    modRevision: version.revision,
    version: version.version,
    lease: version.lease,
  }
}

export function toEvent(version: Version, read: ReadValue): StoreEvent {
  return version.deleted ? { type: 'delete', kv: toKeyValue(version, NO_VALUE) } : { type: 'put', kv: toKeyValue(version, read(version)) }
}
