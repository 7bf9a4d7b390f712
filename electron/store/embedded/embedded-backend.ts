import type { DatabaseSync } from 'node:sqlite'
import type { Backend, Proposal } from '../mvcc/backend.ts'
import type { Compaction } from '../mvcc/keyspace.ts'
import type { Version } from '../mvcc/version.ts'
import type { StoreStatus } from '../store.ts'
import { frameSize, writeFrame } from './record.ts'
import { pragma } from './schema.ts'
import type { ValueCache } from './value-cache.ts'
import type { ValueReader } from './value-reader.ts'
import type { Writer } from './writer.ts'

/** How many rows of forgotten changes go with one batch. */
const PURGE_SLICE = 256

export interface EmbeddedBackendDeps {
  readonly db: DatabaseSync
  readonly writer: Writer
  readonly reader: ValueReader
  readonly cache: ValueCache
  /** Left over from a compaction before the restart. */
  readonly dead: readonly Version[]
  /** Ends the writing thread, and gives back what is held. */
  readonly close: () => Promise<void>
}

/** Writes go to the writing thread, reads to this thread's connection. */
export class EmbeddedBackend implements Backend {
  readonly engine = 'embedded'
  /** One batch is written while the next is filled. */
  readonly depth = 2
  readonly read: (version: Version) => Uint8Array
  readonly #deps: EmbeddedBackendDeps
  /** Numbers of changes whose rows are still to be deleted. */
  #dead: number[]
  #underWay = 0
  #purging: Promise<void> | null = null
  #closing = false

  constructor(deps: EmbeddedBackendDeps) {
    this.#deps = deps
    this.#dead = deps.dead.map(({ seq }) => seq)
    this.read = (version) => deps.reader.read(version)
    this.#purgeWhenIdle()
  }

  commit(proposals: readonly Proposal[]): Promise<void> {
    const size = proposals.reduce((sum, { changes }) => sum + frameSize(changes), 0)
    const frame = this.#deps.writer.frame(size)
    const bytes = Buffer.from(frame)
    const grants: [bigint, number][] = []
    const revokes: bigint[] = []
    let compact: Compaction | null = null
    let length = 0
    for (const proposal of proposals) {
      for (const change of proposal.changes) length = writeFrame(bytes, length, change)
      if (proposal.grant) grants.push([proposal.grant.id, proposal.grant.ttl])
      if (proposal.revoke) revokes.push(proposal.revoke.id)
      compact = proposal.compact ?? compact
    }
    return this.#write({ frame, length, grants, revokes, compact })
  }

  reading<T>(work: () => T): T {
    return this.#deps.reader.reading(work)
  }

  settled(changes: readonly Version[]): void {
    for (const change of changes) this.#deps.cache.add(change)
  }

  drop(versions: readonly Version[]): void {
    for (const version of versions) {
      this.#deps.cache.drop(version)
      this.#dead.push(version.seq)
    }
    this.#purgeWhenIdle()
  }

  stats(): Pick<StoreStatus, 'dbSize' | 'dbSizeInUse' | 'alarms'> {
    const { db, writer } = this.#deps
    const pages = pragma(db, 'page_count')
    const pageSize = pragma(db, 'page_size')
    const alarms: StoreStatus['alarms'][number][] = []
    if (writer.full) alarms.push('noSpace')
    if (writer.refusal) alarms.push(writer.refusal.code === 'corrupt' ? 'corrupt' : 'ioError')
    return { dbSize: pages * pageSize, dbSizeInUse: (pages - pragma(db, 'freelist_count')) * pageSize, alarms }
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#purging
    await this.#deps.close()
  }

  async #write(batch: { frame: ArrayBuffer; length: number; grants: [bigint, number][]; revokes: bigint[]; compact: Compaction | null }) {
    const purge = this.#dead.splice(0, PURGE_SLICE)
    this.#underWay++
    try {
      await this.#deps.writer.commit({ ...batch, purge })
    } catch (error) {
      this.#dead.push(...purge)
      throw error
    } finally {
      this.#underWay--
    }
    this.#purgeWhenIdle()
  }

  /** Deletes what is left of compacted history, a slice at a time, while nobody writes; a slice goes with each batch otherwise. */
  #purgeWhenIdle(): void {
    if (this.#dead.length === 0 || this.#underWay > 0 || this.#purging || this.#closing) return
    const goOn = () => void setImmediate(() => this.#purgeWhenIdle())
    this.#purging = this.#write({ frame: this.#deps.writer.frame(0), length: 0, grants: [], revokes: [], compact: null })
      // After a failure the slice waits for the next batch.
      .then(goOn, () => undefined)
      .finally(() => (this.#purging = null))
  }
}
