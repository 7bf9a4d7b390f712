import { createHash } from 'node:crypto'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Key, LeaseId } from '../store.ts'
import { BoltError, type BoltEntry, BoltFile } from './bolt-file.ts'
import { crc32c } from './crc32c.ts'
import { readKeyValue, readRevisionKey } from './entry.ts'
import type { ImageChange, ImageEntry, StoreImage } from './image.ts'
import { type LeaseFacts, readLeaseEntry } from './lease-entry.ts'

/** A snapshot on disk, checked from end to end, and what it holds. */
export interface SnapshotFile extends StoreImage {
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
  /** Bytes of the database, as `etcdctl snapshot status` gives them: without the checksum behind it. */
  readonly totalSize: number
  /** Over all buckets, keys and values, as `etcdctl snapshot status` gives it; not etcd's HashKV. */
  readonly hash: number
  /** Entries of all buckets, as etcd 3.4 and 3.5 count them. */
  readonly totalKeys: number
  /** How many keys exist at its revision. */
  readonly keys: number
  /** How many keys exist at its compacted revision. */
  readonly compactKeys: number
}

export interface ReadOptions {
  /** Take a database without a checksum behind it, as it lies in the data folder of an etcd. */
  readonly skipHashCheck?: boolean
}

const SHA256 = 32
/** A snapshot's length is that of whole disk sectors and the checksum. */
const SECTOR = 512
const HASHED_AT_ONCE = 1024 * 1024
const BATCH = 256
const BATCH_BYTES = 1024 * 1024

/**
 * Opens a snapshot that Flotilla or etcd 3.4 to 3.6 wrote, and reads all of it: what is damaged, cut short or something else is refused
 * by name. A compaction that etcd had begun counts as done, as etcd itself does when it starts. Rejects with FlotillaError
 * `STATE_UNREADABLE`, or `INVALID_INPUT` if there is no such file or it may not be read.
 */
export async function readSnapshot(path: string, options: ReadOptions = {}): Promise<SnapshotFile> {
  try {
    await using opened = new AsyncDisposableStack()
    const bolt = opened.use(new BoltFile(path))
    await checkSum(bolt, options)
    const survey = await surveyOf(bolt)
    const held = opened.move()
    const { facts, keyRoot, newest } = survey
    return {
      path,
      size: bolt.size,
      totalSize: bolt.databaseSize,
      ...facts,
      changes: () => retained(bolt, keyRoot, facts.compactRevision, newest),
      entries: () => retained(bolt, keyRoot, facts.compactRevision, newest),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    }
  } catch (error) {
    throw refusal(path, error)
  }
}

type Facts = Pick<SnapshotFile, 'revision' | 'compactRevision' | 'leases' | 'hash' | 'totalKeys' | 'keys' | 'compactKeys'>

interface Survey {
  readonly facts: Facts
  readonly keyRoot: Root | null
  /** Of each key the number of its last entry at or before the compacted revision. */
  readonly newest: ReadonlyMap<Key, number>
}

type Root = Parameters<BoltFile['entries']>[0]

async function checkSum(bolt: BoltFile, { skipHashCheck = false }: ReadOptions): Promise<void> {
  const over = bolt.size % SECTOR
  if (over === 0 && skipHashCheck) return
  if (over === 0) throw new BoltError('has no checksum behind it: it is a copy of a database, or was cut short')
  const end = bolt.size - SHA256
  if (over !== SHA256 || end < bolt.databaseSize)
    throw new BoltError(`is cut short, or has something behind it: its length is ${bolt.size} bytes`)
  const hash = createHash('sha256')
  for (let at = 0; at < end; at += HASHED_AT_ONCE) {
    hash.update(bolt.read(at, Math.min(HASHED_AT_ONCE, end - at)))
    await breath()
  }
  if (!hash.digest().equals(bolt.read(end, SHA256))) throw new BoltError('is damaged: its SHA-256 is not the one behind it')
}

/** Reads everything once. */
async function surveyOf(bolt: BoltFile): Promise<Survey> {
  const roots = new Map<string, Root>()
  for (const { name, root } of bolt.buckets()) roots.set(name, root)
  const meta = roots.get('meta')
  const keyRoot = roots.get('key') ?? null
  if (!meta || !keyRoot) throw new BoltError('is no snapshot of etcd or of Flotilla: it has no buckets "key" and "meta"')
  const compactRevision = compactRevisionOf(bolt.entries(meta))
  const keys = new KeySurvey(compactRevision)
  const leases: LeaseFacts[] = []
  let hash = 0
  let totalKeys = 0
  for (const [name, root] of roots) {
    hash = crc32c(Buffer.from(name, 'latin1'), hash)
    for (const entry of bolt.entries(root)) {
      hash = crc32c(entry.value, crc32c(entry.key, hash))
      if (++totalKeys % BATCH === 0) await breath()
      if (name === 'key') keys.add(entry)
      else if (name === 'lease') leases.push(leaseOf(entry))
    }
  }
  const { revision, live, newest } = keys
  return { facts: { revision, compactRevision, leases, hash, totalKeys, keys: live.size, compactKeys: keys.compactKeys }, keyRoot, newest }
}

function compactRevisionOf(meta: Iterable<BoltEntry>): number {
  let compactRevision = 0
  for (const { key, value } of meta) {
    const name = key.toString('latin1')
    if (name !== 'finishedCompactRev' && name !== 'scheduledCompactRev') continue
    const compacted = readRevisionKey(value)
    if (!compacted) throw new BoltError(`is damaged: its ${name} is no revision`)
    compactRevision = Math.max(compactRevision, compacted.revision)
  }
  return compactRevision
}

class KeySurvey {
  readonly live = new Set<Key>()
  readonly newest = new Map<Key, number>()
  revision: number
  compactKeys = 0
  readonly #compactRevision: number
  #count = 0

  constructor(compactRevision: number) {
    this.#compactRevision = compactRevision
    this.revision = Math.max(1, compactRevision)
  }

  add(entry: BoltEntry): void {
    const number = this.#count++
    const change = changeOf(entry)
    const { key, deleted } = change
    this.revision = Math.max(this.revision, change.revision)
    if (isMark(change)) return
    if (deleted) this.live.delete(key)
    else this.live.add(key)
    if (change.revision > this.#compactRevision) return
    this.newest.set(key, number)
    this.compactKeys = this.live.size
  }
}

/** Left by `etcdutl snapshot restore --bump-revision`: an entry that changes nothing, so that the revision is later. */
function isMark({ key }: ImageChange): boolean {
  return key === ''
}

async function* retained(
  bolt: BoltFile,
  root: Root | null,
  compactRevision: number,
  newest: ReadonlyMap<Key, number>,
): AsyncGenerator<ImageEntry[]> {
  if (!root) return
  let batch: ImageEntry[] = []
  let bytes = 0
  let number = 0
  for (const found of bolt.entries(root)) {
    const entry = changeOf(found)
    const here = number++
    if (isMark(entry)) continue
    if (entry.revision < compactRevision || (entry.revision === compactRevision && !entry.deleted)) {
      if (entry.deleted || newest.get(entry.key) !== here) continue
    }
    batch.push(entry)
    bytes += entry.size
    if (batch.length < BATCH && bytes < BATCH_BYTES) continue
    yield batch
    await breath()
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

function changeOf({ key, value }: BoltEntry): ImageEntry {
  const at = readRevisionKey(key)
  if (!at || at.revision < 1) throw new BoltError(`is damaged: it has a change under ${key.toString('hex', 0, 32)}, which is no revision`)
  const { revision, deleted } = at
  const message = readKeyValue(value)
  const fits =
    message !== null &&
    (message.key === ''
      ? value.length === 0
      : deleted ||
        (message.modRevision === revision && message.version >= 1 && message.createRevision >= 1 && message.createRevision <= revision))
  if (!fits) throw new BoltError(`is damaged: the change ${at.sub} of revision ${revision} cannot be understood`)
  if (deleted) return { ...at, key: message.key, createRevision: 0, version: 0, lease: 0n, size: 0, value: message.value.subarray(0, 0) }
  const { createRevision, version, lease } = message
  return { ...at, key: message.key, createRevision, version, lease, size: message.value.byteLength, value: message.value }
}

/** As many seconds as etcd allows. */
const MAX_TTL = 9_000_000_000

function leaseOf({ key, value }: BoltEntry): LeaseFacts {
  const lease = readLeaseEntry(key, value)
  const NONE: LeaseId = 0n
  if (!lease || lease.id === NONE || lease.ttl > MAX_TTL)
    throw new BoltError(`is damaged: its lease ${key.toString('hex', 0, 32)} cannot be understood`)
  return lease
}

function refusal(path: string, error: unknown): unknown {
  if (error instanceof BoltError) {
    const noSum = error.message.startsWith('has no checksum')
    return new FlotillaError('STATE_UNREADABLE', {
      what: `The snapshot ${path} cannot be used.`,
      why: `It ${error.message}.`,
      next: noSum
        ? 'If it is the file member/snap/db of an etcd that was stopped, add --skip-hash-check. Else take another backup.'
        : 'Take another backup, or copy this one again from where it was made.',
      cause: error,
    })
  }
  return new FlotillaError('INVALID_INPUT', {
    what: `The snapshot ${path} cannot be read.`,
    why: `${messageOf(error)}.`,
    next: 'Name a file made with `flotilla snapshot save` or `etcdctl snapshot save`, that you may read.',
    cause: error,
  })
}

/** Lets others run. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
