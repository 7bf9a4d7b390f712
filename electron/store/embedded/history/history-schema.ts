import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { HistoryInit } from './protocol.ts'

const DATABASE = 'history.db'
/** "FLTH": marks the file as ours (SQLite's application_id). */
const APPLICATION_ID = 0x464c5448
const VERSION = 1

/**
 * `past`: changes that compactions took away, with their keys as bytes, as long as they are of use, which is until revision `until`; record
 * and value as in the store's own database. `moment`: which revision was the first of those that became the newest at a time.
 */
const TABLES = `
  CREATE TABLE past (
    seq INTEGER PRIMARY KEY, key BLOB NOT NULL, revision INTEGER NOT NULL, until INTEGER NOT NULL, record BLOB NOT NULL, value BLOB
  ) STRICT;
  CREATE INDEX past_of_key ON past (key, revision, until);
  CREATE INDEX past_until ON past (until);
  CREATE TABLE moment (revision INTEGER PRIMARY KEY, time REAL NOT NULL) STRICT;
  CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** `floor`: the oldest state that can be made. `top`: the newest revision that anything here was of use until. */
export type HistoryFact = 'store' | 'floor' | 'top'

/** Opens the history beside the store's database; begins it anew if there is none, or none that belongs to the store. */
export function openHistory(init: HistoryInit): DatabaseSync {
  const path = historyPath(init.path)
  const db = tryOpen(path)
  if (db && belongs(db, init)) return db
  db?.close()
  dropHistory(init.path)
  return create(path, init)
}

/** Removes the history beside the store's database at `path`, while nobody has it open. */
export function dropHistory(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(historyPath(path) + end, { force: true, recursive: true })
}

export function hasHistory(path: string): boolean {
  return existsSync(historyPath(path))
}

function historyPath(path: string): string {
  return join(dirname(path), DATABASE)
}

export function readFact(db: DatabaseSync, name: HistoryFact): number {
  return Number(db.prepare('SELECT value FROM fact WHERE name = ?').get(name)?.['value'] ?? 0)
}

export function writeFact(db: DatabaseSync, name: HistoryFact, value: number): void {
  db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)').run(name, value)
}

/** Null if there is none, or it cannot be read. */
function tryOpen(path: string): DatabaseSync | null {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    configure(db)
    const [application, version] = ['application_id', 'user_version'].map((name) => db.prepare(`PRAGMA ${name}`).get()?.[name])
    if (application === APPLICATION_ID && version === VERSION) return db
  } catch {
    // Whatever it is, it is no history: it is begun anew.
  }
  db.close()
  return null
}

function belongs(db: DatabaseSync, { store }: HistoryInit): boolean {
  try {
    const [id, floor, top] = (['store', 'floor', 'top'] as const).map((name) => readFact(db, name)) as [number, number, number]
    return id === store.id && floor <= store.revision && top <= store.compactRevision
  } catch {
    return false
  }
}

function create(path: string, { store, now }: HistoryInit): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    configure(db)
    db.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`)
    writeFact(db, 'store', store.id)
    writeFact(db, 'floor', Math.max(1, store.compactRevision))
    writeFact(db, 'top', store.compactRevision)
    db.prepare('INSERT INTO moment VALUES (?, ?)').run(store.revision, now)
    db.exec('COMMIT')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync): void {
  db.exec(`
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA journal_size_limit = ${8 * 1024 * 1024};
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -4000;
  `)
}
