import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { type Random, systemRandom } from '../../base/random.ts'
import { MvccStore } from '../mvcc/mvcc-store.ts'
import type { Store, StoreError } from '../store.ts'
import { checkInThread } from './check.ts'
import { EmbeddedBackend } from './embedded-backend.ts'
import { Archive } from './history/archive.ts'
import { dropHistory, hasHistory } from './history/history-schema.ts'
import { loadKeyspace, loadLeases, loadStoreId } from './load.ts'
import { lockFolder } from './lock.ts'
import { dropReserve } from './reserve.ts'
import { damaged, DATABASE, isNoSpace, openDatabase, openError } from './schema.ts'
import { ValueCache } from './value-cache.ts'
import { ValueReader } from './value-reader.ts'
import { checkWal } from './wal-check.ts'
import { Writer } from './writer.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

export interface EmbeddedStoreOptions {
  /** The folder for all of the store's files; made if it is not there. */
  readonly dir: string
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
  /** The module of the writing thread, where a bundle has put it. */
  readonly workerUrl?: URL
  /** How many bytes of values are kept in memory; by default 32 MiB. */
  readonly cacheBytes?: number
  /** How much disk space is held back, so that keys can be deleted when the disk is full; by default 16 MiB. */
  readonly reserveBytes?: number
  /** How many bytes of the database may be in use before only deletions and compactions are accepted; by default 8 GiB; 0: any number. */
  readonly quotaBytes?: number
  /** How much disk space past states beyond compaction may take; by default 256 MiB; 0: none are kept. */
  readonly historyBytes?: number
}

/**
 * Opens the store in a folder that no other process uses: a SQLite database in WAL mode with `synchronous=FULL`. The index of all
 * keys is in memory, the values are on disk. Rejects with FlotillaError `STATE_LOCKED`, `STATE_UNREADABLE` or `DISK_FULL`.
 */
export async function createEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const path = join(options.dir, DATABASE)
  try {
    await mkdir(options.dir, { recursive: true, mode: 0o700 })
    return await open(path, options).catch((error: unknown) => {
      if (!isNoSpace(error)) throw error
      // History goes first. The reserve is for this too; it is taken again when there is room.
      const had = hasHistory(path)
      dropHistory(path)
      if (!dropReserve(path) && !had) throw error
      return open(path, options)
    })
  } catch (error) {
    throw openError(path, error)
  }
}

async function open(path: string, options: EmbeddedStoreOptions): Promise<Store> {
  const { dir, clock, logger, random = systemRandom, cacheBytes = 32 * MIB, reserveBytes = 16 * MIB } = options
  const { quotaBytes: quota = 8 * GIB, historyBytes: budgetBytes = 256 * MIB } = options
  await using opened = new AsyncDisposableStack()
  opened.use(lockFolder(dir, clock))
  const logged = inspectLog(path, logger)
  const db = opened.adopt(openDatabase(path), (open) => open.close())
  if (logged) foldLog(db, path, logger)
  const url = options.workerUrl ?? new URL('./worker.ts', import.meta.url)
  let archive: Archive | null = null
  const makeRoom = () => archive?.drop() ?? Promise.resolve(false)
  const writer = opened.use(new Writer({ url, init: { role: 'write', path, reserveBytes }, clock, logger, makeRoom }))
  const { space, dead } = loadKeyspace(db, path)
  const leases = loadLeases(db, path)
  if (budgetBytes === 0) dropHistory(path)
  else {
    const position = () => ({ compactRevision: space.compactRevision, revision: space.revision })
    archive = opened.use(new Archive({ clock, logger, url, path, storeId: loadStoreId(db, path, random), budgetBytes, position }))
  }
  const cache = new ValueCache(cacheBytes)
  const onDamage = (error: StoreError) => {
    logger.error('a stored value is damaged', { error })
    writer.refuse(error)
  }
  const reader = new ValueReader({ db, cache, onDamage })
  await writer.ready()
  const closing = new AbortController()
  opened.defer(() => closing.abort())
  const held = opened.move()
  const check = () => checkInThread(url, path, closing.signal)
  const parts = { db, path, writer, reader, cache, archive, logger, quota, dead, check }
  const backend = new EmbeddedBackend({ ...parts, close: () => held.disposeAsync() })
  return new MvccStore({ clock, random, logger, backend, space, leases })
}

/** What a crash cut short is dropped, and said; what cannot come from a crash is refused. Whether there is a log. */
function inspectLog(path: string, logger: Logger): boolean {
  const { state, frames } = checkWal(`${path}-wal`)
  if (frames > 0 && sizeOf(path) === 0) throw damaged(path, 'the file is empty or missing, while its write-ahead log is there')
  if (state === 'damaged') throw damaged(path, `its write-ahead log is broken at frame ${frames + 1}, and later writes follow`)
  if (state === 'torn') logger.warn('the last write before a crash was cut short and is dropped: it was not acknowledged', { path })
  return frames > 0
}

/**
 * Writes what was left in the log into the database, before anything rests on it. If a flush of the log had failed, the system may show
 * what was written, take it for flushed and never try again, so that the next loss of power would take it from under later writes. On a
 * full disk the log stays, as there is no other place for it.
 */
function foldLog(db: DatabaseSync, path: string, logger: Logger): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!isNoSpace(error)) throw error
    if (dropReserve(path)) return foldLog(db, path, logger)
    logger.warn('there is no room to fold the write-ahead log into the database', { path })
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
