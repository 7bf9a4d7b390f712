import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { loadKeyspace } from '../embedded/load.ts'
import { lockFolder } from '../embedded/lock.ts'
import { changeRecord, numberRecord, valueRecord } from '../embedded/record.ts'
import { DATABASE, type FactName, isNoSpace, openDatabase } from '../embedded/schema.ts'
import type { Key } from '../store.ts'
import type { ImageChange } from './image.ts'
import type { SnapshotFile } from './read-snapshot.ts'

export interface RestoreOptions {
  readonly file: SnapshotFile
  /** The folder of the new store; made if it is not there. */
  readonly dir: string
  /**
   * How much later the store's revision is to be than the snapshot's; by default it is the same. If it is later, everything up to it
   * is compacted, so that whoever remembers a revision from after the snapshot is told to read anew, and none is ever used twice.
   */
  readonly bumpRevision?: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes an embedded store of what a snapshot holds: the same keys with their whole history, revisions, versions and leases, compacted
 * where it was. All or nothing: the database is made beside its place, flushed, and then renamed. Rejects with FlotillaError
 * `INVALID_INPUT` if there is a store already, `STATE_LOCKED`, `DISK_FULL`, or `STATE_UNREADABLE` if the changes in the snapshot do not
 * follow from each other.
 */
export async function restoreSnapshot({ file, dir, bumpRevision = 0, clock, logger }: RestoreOptions): Promise<void> {
  const path = join(dir, DATABASE)
  const beside = `${path}.restoring`
  const made = mkdirSync(dir, { recursive: true, mode: 0o700 })
  let whole = false
  try {
    refuseStore(path)
    using _lock = lockFolder(dir, clock)
    refuseStore(path)
    clear(beside)
    try {
      await fill(beside, bumpRevision > 0 ? await bumped(file, bumpRevision) : file)
      flushFile(beside)
      renameSync(beside, path)
      whole = true
    } finally {
      clear(beside)
    }
    flushFolder(dir)
  } catch (error) {
    throw restoreError(file, dir, error)
  } finally {
    if (!whole && made !== undefined) rmSync(made, { recursive: true, force: true })
  }
  logger.info('a snapshot was restored', { snapshot: file.path, dir, revision: file.revision, keys: file.keys })
}

type Content = Pick<SnapshotFile, 'compactRevision' | 'compactKeys' | 'leases' | 'entries'>

/** What remains if the snapshot is compacted at a revision after its own. */
async function bumped(file: SnapshotFile, by: number): Promise<Content> {
  const newest = new Map<Key, string>()
  const nameOf = ({ revision, sub }: ImageChange) => `${revision} ${sub}`
  for await (const batch of file.changes()) {
    for (const change of batch) {
      if (change.deleted) newest.delete(change.key)
      else newest.set(change.key, nameOf(change))
    }
  }
  const { leases, keys: compactKeys } = file
  const entries = async function* () {
    for await (const batch of file.entries()) yield batch.filter((entry) => newest.get(entry.key) === nameOf(entry))
  }
  return { leases, compactKeys, compactRevision: file.revision + by, entries }
}

async function fill(path: string, file: Content): Promise<void> {
  const db = openDatabase(path)
  try {
    // Nothing is lost when this is cut short, so that nothing need be flushed before the end.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN')
    const anyAtCompaction = await fillChanges(db, file)
    const addLease = db.prepare('INSERT INTO lease VALUES (?, ?)')
    for (const { id, ttl } of file.leases) addLease.run(id, numberRecord(`lease ${id}`, ttl))
    const addFact = db.prepare('INSERT INTO fact VALUES (?, ?)')
    const setFact = (name: FactName, value: number) => addFact.run(name, numberRecord(name, value))
    if (file.compactRevision > 0) {
      setFact('compactRevision', file.compactRevision)
      setFact('compactKeys', file.compactKeys)
      if (!anyAtCompaction) setFact('compactBare', 1)
    }
    db.exec('COMMIT')
    loadKeyspace(db, path)
  } finally {
    db.close()
  }
}

/** Returns whether a change of the compacted revision itself is among them. */
async function fillChanges(db: DatabaseSync, file: Content): Promise<boolean> {
  const addChange = db.prepare('INSERT INTO change VALUES (?, ?)')
  const addValue = db.prepare('INSERT INTO value VALUES (?, ?)')
  let anyAtCompaction = false
  let seq = 0
  for await (const batch of file.entries()) {
    for (const entry of batch) {
      seq++
      addChange.run(seq, changeRecord({ ...entry, seq }))
      if (!entry.deleted) addValue.run(seq, valueRecord(seq, entry.value))
      anyAtCompaction ||= entry.revision === file.compactRevision
    }
  }
  return anyAtCompaction
}

function refuseStore(path: string): void {
  if (!existsSync(path) && !existsSync(`${path}-wal`)) return
  throw new FlotillaError('INVALID_INPUT', {
    what: 'The snapshot was not restored.',
    why: `There is a store in ${dirname(path)} already.`,
    next: 'Choose a new state folder with --state, or move that one away. Nothing was changed.',
  })
}

function restoreError(file: SnapshotFile, dir: string, error: unknown): FlotillaError {
  const what = `The snapshot ${file.path} was not restored.`
  if (isNoSpace(error)) {
    const next = 'Make room on it, then try again. Nothing was left there.'
    return new FlotillaError('DISK_FULL', { what, why: `The disk of ${dir} is full.`, next, cause: error })
  }
  if (error instanceof FlotillaError && error.code === 'STATE_UNREADABLE') {
    const why = error.why.replace(/^It is damaged/, 'Its changes do not follow from each other')
    return new FlotillaError('STATE_UNREADABLE', { what, why, next: 'Take another backup.', cause: error })
  }
  if (error instanceof FlotillaError) return error
  return new FlotillaError('INVALID_INPUT', {
    what,
    why: `${messageOf(error)}.`,
    next: 'Choose a folder that you may write to.',
    cause: error,
  })
}

/** The file and what SQLite puts beside it. */
function clear(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(path + end, { force: true })
}

function flushFile(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A folder cannot be opened on Windows, and need not be. */
function flushFolder(path: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
