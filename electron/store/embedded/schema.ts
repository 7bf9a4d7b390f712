import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { STORAGE_VERSION } from '../mvcc/backend.ts'
import { StoreError } from '../store.ts'
import { isFull } from './sqlite-code.ts'
import { upgrade } from './upgrade.ts'

export const DATABASE = 'store.db'

/** "FLTS": marks the file as ours (SQLite's application_id). */
const APPLICATION_ID = 0x464c5453

/**
 * `change` has what the index in memory is made of, `value` what is read when it is asked for, both under the number of the change.
 * `lease` has granted seconds by lease id, `fact` the store's own numbers by name.
 */
const TABLES = `
  CREATE TABLE change (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE value (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE lease (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE fact (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * `compactKeys`: how many keys existed at `compactRevision`. `compactBare`: 1 if no change of that revision itself is kept.
 * `storeId`: a number that no other store has.
 */
export type FactName = 'compactRevision' | 'compactKeys' | 'compactBare' | 'storeId'

/** Pages of 8 KiB: two objects of common size fit into one, and a lone write rewrites two of them. */
const PAGE_SIZE = 8192

/** How long a connection waits for a lock that another holds, in milliseconds: a person's tool, as a rule. */
export const LOCK_WAIT = 10_000

/**
 * Opens the database for this process, first of all connections: brings it to the last whole commit, makes it if it is not there, and
 * refuses by name what another program or a newer version wrote.
 */
export function openDatabase(path: string): DatabaseSync {
  if (!existsSync(path)) createFile(path)
  return connected(path, (db) => {
    const version = pragma(db, 'user_version')
    const empty = pragma(db, 'schema_version') === 0 && version === 0
    if (empty) return create(db)
    if (pragma(db, 'application_id') !== APPLICATION_ID) throw foreign(path)
    if (version > STORAGE_VERSION) throw newer(path, version)
    configure(db)
    if (version < STORAGE_VERSION) upgrade(db, version, (where) => damaged(path, where))
  })
}

/** A further connection to a database that is open. */
export function connect(path: string): DatabaseSync {
  return connected(path, configure)
}

function connected(path: string, prepare: (db: DatabaseSync) => void): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT })
  try {
    prepare(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** What durability rests on. Checkpoints are the writing thread's business. */
function configure(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -4000;
  `)
}

export function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name])
}

/** The store's files are damaged, and where. */
export function damaged(path: string, where: string): FlotillaError {
  return unreadable(path, `It is damaged: ${where}.`)
}

/** Made by hand, so that nobody else can read it; SQLite gives its other files the same mode. */
function createFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  if (process.platform === 'win32') return
  const dir = openSync(dirname(path), 'r')
  fsyncSync(dir)
  closeSync(dir)
}

/** There was no room, for whoever it was that met with it. */
export function isNoSpace(error: unknown): boolean {
  return systemCode(error) === 'ENOSPC' || isFull(error) || (error instanceof StoreError && isNoSpace(error.cause))
}

/** What a person is told when the store at `path` could not be opened because of `error`. */
export function openError(path: string, error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error
  if (error instanceof StoreError && !isNoSpace(error)) {
    return new FlotillaError('INTERNAL', {
      what: `The cluster's store ${path} cannot be opened.`,
      why: error.message,
      next: 'Start again; if that does not help, install Flotilla again.',
      cause: error,
    })
  }
  if (!isNoSpace(error)) return unreadable(path, `${messageOf(error)}.`, error)
  return new FlotillaError('DISK_FULL', {
    what: `The cluster's store ${path} cannot be opened.`,
    why: 'The disk is full.',
    next: 'Make room on it, then start again. Nothing was changed.',
    cause: error,
  })
}

function create(db: DatabaseSync): void {
  db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA auto_vacuum = INCREMENTAL`)
  configure(db)
  db.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORAGE_VERSION}; COMMIT`)
}

function newer(path: string, version: number): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `The cluster's store ${path} cannot be opened.`,
    why: `It was written by a newer version of Flotilla: its storage version is ${version}, this version knows up to ${STORAGE_VERSION}.`,
    next: 'Start the newer version, or restore a backup that was made with this one.',
  })
}

function foreign(path: string): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `The cluster's store ${path} cannot be opened.`,
    why: 'The file is a database of another program.',
    next: 'Choose another state folder, or move that file away.',
  })
}

function unreadable(path: string, why: string, cause?: unknown): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', {
    what: `The cluster's store ${path} cannot be opened.`,
    why,
    next: 'Check the disk, then restore the state folder from a backup. Nothing was changed.',
    cause,
  })
}
