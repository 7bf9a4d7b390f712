import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { messageOf } from '../../base/errors.ts'
import { type Version } from '../mvcc/version.ts'
import { StoreError } from '../store.ts'
import { readValue } from './record.ts'
import type { ValueCache } from './value-cache.ts'

/** Reads values from memory or else from disk, and checks them. */
export class ValueReader {
  readonly #db: DatabaseSync
  readonly #cache: ValueCache
  readonly #onDamage: (error: StoreError) => void
  readonly #select: StatementSync
  readonly #begin: StatementSync
  readonly #end: StatementSync
  #depth = 0
  #begun = false

  constructor(deps: { db: DatabaseSync; cache: ValueCache; onDamage: (error: StoreError) => void }) {
    this.#db = deps.db
    this.#cache = deps.cache
    this.#onDamage = deps.onDamage
    this.#select = deps.db.prepare('SELECT bytes FROM value WHERE seq = ?')
    this.#select.setReturnArrays(true)
    this.#begin = deps.db.prepare('BEGIN')
    this.#end = deps.db.prepare('COMMIT')
  }

  /** Throws StoreError `corrupt` if the value is missing or damaged. */
  read(version: Version): Uint8Array {
    version.touched = true
    if (version.value !== null) return version.value
    const value = this.#fromDisk(version)
    version.value = value
    this.#cache.add(version)
    return value
  }

  /** Reads from disk in `work` share one read transaction. */
  reading<T>(work: () => T): T {
    this.#depth++
    try {
      return work()
    } finally {
      this.#depth--
      if (this.#depth === 0 && this.#begun) {
        this.#begun = false
        if (this.#db.isTransaction) this.#end.run()
      }
    }
  }

  #fromDisk(version: Version): Uint8Array {
    let row: unknown
    try {
      if (this.#depth > 0 && !this.#begun) {
        this.#begin.run()
        this.#begun = true
      }
      row = this.#select.get(version.seq)
    } catch (error) {
      throw this.#damage(version, messageOf(error), error)
    }
    const bytes: unknown = Array.isArray(row) ? row[0] : undefined
    if (!(bytes instanceof Uint8Array)) throw this.#damage(version, 'it is missing')
    const value = readValue(bytes, version.seq)
    if (value === null || value.byteLength !== version.size) throw this.#damage(version, 'its checksum is wrong')
    return value
  }

  #damage(version: Version, why: string, cause?: unknown): StoreError {
    const what = `the value of ${JSON.stringify(version.key)} at revision ${version.revision} cannot be read from disk`
    const error = new StoreError('corrupt', `${what}: ${why}. Restore the state folder from a backup.`, { cause })
    this.#onDamage(error)
    return error
  }
}
