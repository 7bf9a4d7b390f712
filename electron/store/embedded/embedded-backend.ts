import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from '../../base/logger.ts'
import type { Backend, Proposal } from '../mvcc/backend.ts'
import type { Compaction } from '../mvcc/keyspace.ts'
import type { Outlived, Past } from '../mvcc/past.ts'
import type { Version } from '../mvcc/version.ts'
import type { StoreImage } from '../snapshot/image.ts'
import { StoreError, type StoreStatus } from '../store.ts'
import { EmbeddedImage } from './embedded-image.ts'
import type { Archive } from './history/archive.ts'
import { frameSize, writeFrame } from './record.ts'
import { Quota } from './quota.ts'
import { checkRoomToRewrite } from './room.ts'
import { pragma } from './schema.ts'
import type { ValueCache } from './value-cache.ts'
import type { ValueReader } from './value-reader.ts'
import type { Batch, Writer } from './writer.ts'

/** How many rows of forgotten changes go with one batch. */
const PURGE_SLICE = 256

/** Slices go in their order, always: the row of a deletion may only go after those of what it deleted. */
interface Slice {
  readonly order: number
  readonly seqs: readonly number[]
}

/** How many unused pages of the database are given back at a time, and above how many it is worth while. */
const SHRINK_SLICE = 256
const SHRINK_ABOVE = 2048

export interface EmbeddedBackendDeps {
  readonly db: DatabaseSync
  /** Of the database. */
  readonly path: string
  readonly writer: Pick<Writer, 'commit' | 'frame' | 'shrink' | 'defragment' | 'full' | 'refusal'>
  readonly reader: ValueReader
  readonly cache: ValueCache
  readonly logger: Logger
  /** How many bytes may be in use; 0: as many as there are. */
  readonly quota: number
  /** Left over from a compaction before the restart. */
  readonly dead: readonly Outlived<Version>[]
  /** Where compacted changes go before they go for good, if anywhere. */
  readonly archive: Archive | null
  /** As `Maintenance.check`. */
  readonly check: () => Promise<readonly string[]>
  /** Ends the writing thread, and gives back what is held. */
  readonly close: () => Promise<void>
}

/** Writes go to the writing thread, reads to this thread's connection. */
export class EmbeddedBackend implements Backend {
  readonly engine = 'embedded'
  /** One batch is written while the next is filled. */
  readonly depth = 2
  readonly read: (version: Version) => Uint8Array
  readonly past: Past | null
  readonly #deps: EmbeddedBackendDeps
  /** Of changes whose rows are still to be deleted. */
  #dead: Slice[] = []
  #slices = 0
  #underWay = 0
  #tidying: Promise<void> | null = null
  /** There may be something to give back since it was last found that there is not. */
  #mayShrink = true
  #closing = false
  readonly #images = new Set<EmbeddedImage>()
  readonly #quota: Quota

  constructor(deps: EmbeddedBackendDeps) {
    this.#deps = deps
    this.#quota = new Quota({ limit: deps.quota, measure: () => this.#size().inUse, logger: deps.logger })
    this.past = deps.archive
    this.read = (version) => deps.reader.read(version)
    this.#forget(deps.dead)
    this.#tidy()
  }

  commit(proposals: readonly Proposal[]): Promise<void> {
    const size = proposals.reduce((sum, { changes }) => sum + frameSize(changes), 0)
    const frame = this.#deps.writer.frame(size)
    const bytes = Buffer.from(frame)
    const leases: [bigint, number | null][] = []
    let compact: Compaction | null = null
    let length = 0
    for (const proposal of proposals) {
      for (const change of proposal.changes) length = writeFrame(bytes, length, change)
      if (proposal.grant) leases.push([proposal.grant.id, proposal.grant.ttl])
      if (proposal.revoke) leases.push([proposal.revoke.id, null])
      compact = proposal.compact ?? compact
    }
    const first = proposals.find(({ changes }) => changes.length > 0)?.revision
    return this.#write({ frame, length, leases, compact }, first)
  }

  refusal({ changes, grant }: Pick<Proposal, 'changes' | 'grant'>): StoreError | null {
    const { writer } = this.#deps
    if (writer.refusal) return writer.refusal
    if ((!writer.full && !this.#quota.exceeded) || (!grant && changes.every(({ deleted }) => deleted))) return null
    return (
      this.#quota.refusal ??
      new StoreError('noSpace', 'The disk is full: only deletions and compactions are accepted. Make room, then try again.')
    )
  }

  reading<T>(work: () => T): T {
    return this.#deps.reader.reading(work)
  }

  settled(changes: readonly Version[]): void {
    for (const change of changes) this.#deps.cache.add(change)
  }

  drop(outlived: readonly Outlived<Version>[]): void {
    for (const { version } of outlived) this.#deps.cache.drop(version)
    this.#forget(outlived)
    this.#tidy()
  }

  stats(): Pick<StoreStatus, 'dbSize' | 'dbSizeInUse' | 'quota' | 'alarms'> {
    const { writer } = this.#deps
    const { onDisk, inUse } = this.#size()
    const alarms: StoreStatus['alarms'][number][] = []
    if (writer.full) alarms.push('noSpace')
    if (this.#quota.exceeded) alarms.push('quota')
    if (writer.refusal) alarms.push(writer.refusal.code === 'corrupt' ? 'corrupt' : 'ioError')
    return { dbSize: onDisk, dbSizeInUse: inUse, quota: this.#quota.limit, alarms }
  }

  async image(): Promise<StoreImage> {
    const image = await EmbeddedImage.open(this.#deps.path, (closed) => this.#images.delete(closed))
    this.#images.add(image)
    if (!this.#closing) return image
    await image[Symbol.asyncDispose]()
    throw new StoreError('closed', 'the store is closed')
  }

  async defragment(): Promise<void> {
    const { path, writer } = this.#deps
    checkRoomToRewrite(this.#size().inUse, path)
    await writer.defragment()
    this.#quota.look()
  }

  async check(): Promise<readonly string[]> {
    return [...(await this.#deps.check()), ...((await this.#deps.archive?.check()) ?? [])]
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const image of this.#images) await image[Symbol.asyncDispose]()
    await this.#tidying
    await this.#deps.close()
  }

  /** `first`: the first revision that the batch makes, if any. */
  async #write(batch: Omit<Batch, 'purge'>, first?: number): Promise<void> {
    const slice = this.#dead.shift()
    this.#underWay++
    try {
      await this.#deps.writer.commit({ ...batch, purge: slice?.seqs ?? [] })
    } catch (error) {
      if (slice) this.#dead = [...this.#dead, slice].sort((a, b) => a.order - b.order)
      this.#mayShrink = true
      throw error
    } finally {
      this.#underWay--
    }
    if (first !== undefined) this.#deps.archive?.note(first)
    this.#quota.added(batch.length)
    this.#tidy()
  }

  /** Bytes. */
  #size(): { onDisk: number; inUse: number } {
    const { db } = this.#deps
    const pages = pragma(db, 'page_count')
    const pageSize = pragma(db, 'page_size')
    return { onDisk: pages * pageSize, inUse: (pages - pragma(db, 'freelist_count')) * pageSize }
  }

  #forget(outlived: readonly Outlived<Version>[]): void {
    const { archive, writer } = this.#deps
    if (!archive) return this.#doom(outlived.map(({ version }) => version))
    if (!writer.full) archive.begin()
    archive.keep(outlived, (versions) => {
      this.#doom(versions)
      this.#tidy()
    })
  }

  #doom(versions: readonly Version[]): void {
    if (versions.length > 0) this.#mayShrink = true
    for (let i = 0; i < versions.length; i += PURGE_SLICE) {
      this.#dead.push({ order: this.#slices++, seqs: versions.slice(i, i + PURGE_SLICE).map(({ seq }) => seq) })
    }
  }

  /**
   * While nobody writes: deletes what is left of compacted history, a slice at a time (a slice goes with each batch otherwise), and then
   * gives back what became free, if that is a large part, or if the disk is full.
   */
  #tidy(): void {
    if (this.#underWay > 0 || this.#tidying || this.#closing) return
    const work = this.#dead.length > 0 ? this.#purge() : this.#shrinkable() ? this.#shrink() : null
    if (!work) return
    this.#tidying = work.then((again) => {
      this.#tidying = null
      if (again) setImmediate(() => this.#tidy())
    })
  }

  /** After a failure the slice waits for the next batch. */
  async #purge(): Promise<boolean> {
    const { writer } = this.#deps
    return this.#write({ frame: writer.frame(0), length: 0, leases: [], compact: null }).then(
      () => true,
      () => false,
    )
  }

  #shrinkable(): boolean {
    const { db, writer } = this.#deps
    if (writer.refusal || !this.#mayShrink) return false
    const free = pragma(db, 'freelist_count')
    this.#mayShrink = free > (writer.full ? 0 : Math.max(SHRINK_ABOVE, pragma(db, 'page_count') / 4))
    return this.#mayShrink
  }

  async #shrink(): Promise<boolean> {
    const before = pragma(this.#deps.db, 'freelist_count')
    const left = await this.#deps.writer.shrink(SHRINK_SLICE)
    this.#mayShrink = left > 0 && left < before
    return this.#mayShrink
  }
}
