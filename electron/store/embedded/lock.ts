import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import { SQLITE, sqliteCode } from './sqlite-code.ts'

/**
 * Makes this process the only one that works in the folder, until disposed. The lock is the operating system's, on the file `lock`,
 * taken through SQLite because Node has no call for it: it ends with the process, so that none is ever left behind by one that died.
 * `owner.json` says who holds it. Throws FlotillaError `STATE_LOCKED`.
 */
export function lockFolder(dir: string, clock: Clock): Disposable {
  const path = join(dir, 'lock')
  const owner = join(dir, 'owner.json')
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw sqliteCode(error) === SQLITE.BUSY ? locked(dir, owner) : error
  }
  try {
    writeFileSync(owner, `${JSON.stringify({ pid: process.pid, since: new Date(clock.now()).toISOString() })}\n`, { mode: 0o600 })
  } catch (error) {
    // Nobody needs to know the owner: a full disk is no reason to refuse.
    if (systemCode(error) !== 'ENOSPC') {
      db.close()
      throw error
    }
  }
  return {
    [Symbol.dispose]() {
      rmSync(owner, { force: true })
      db.close()
    },
  }
}

function locked(dir: string, owner: string): FlotillaError {
  return new FlotillaError('STATE_LOCKED', {
    what: `The cluster's store in ${dir} cannot be opened.`,
    why: `It is in use by ${nameOf(owner)}.`,
    next: 'Use the Flotilla that runs, or end it first.',
  })
}

function nameOf(owner: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(owner, 'utf8')) as { pid: number; since: string }
    return `process ${pid} since ${since}`
  } catch {
    return 'another process'
  }
}
