import type { MessageShape } from '@bufbuild/protobuf'
import { type Clock, sleep } from '../../base/clock.ts'
import { checkCount } from '../mvcc/request.ts'
import { type Maintenance, type Snapshot, StoreError } from '../store.ts'
import { Maintenance as MaintenanceService, type SnapshotResponseSchema } from '../wire/gen/etcd_pb.js'
import type { EtcdConnection } from './connection.ts'

/** What reads or writes a member's whole database takes its time; milliseconds. */
const LONG = 10 * 60_000
/** Behind the database, etcd sends the SHA-256 of it. */
const CHECKSUM = 32
/** How often a member that has not caught up yet is asked again, and after how many milliseconds. */
const TRIES = 50
const PAUSE = 100

export interface RemoteMaintenanceDeps {
  readonly connection: EtcdConnection
  readonly clock: Clock
  /** The newest revision, by a linearizable read. */
  readonly newest: () => Promise<number>
}

/** etcd's own Maintenance service: of one member where the answer is the same from each, else of all. */
export class RemoteMaintenance implements Maintenance {
  readonly #connection: EtcdConnection
  readonly #clock: Clock
  readonly #newest: () => Promise<number>

  constructor({ connection, clock, newest }: RemoteMaintenanceDeps) {
    this.#connection = connection
    this.#clock = clock
    this.#newest = newest
  }

  /** Its `revision` is one that it certainly holds; there may be later ones in it. */
  async snapshot(): Promise<Snapshot> {
    const revision = await this.#newest()
    const stream = await this.#connection.stream(MaintenanceService.method.snapshot, {})
    const first = await stream.next()
    if (first.done) throw new StoreError('unavailable', 'etcd ended the snapshot before it began')
    const size = first.value.blob.byteLength + Number(first.value.remainingBytes) + CHECKSUM
    let taken = false
    return {
      size,
      revision,
      [Symbol.asyncIterator]() {
        if (taken) throw new Error('a snapshot of etcd is read once')
        taken = true
        return blobs(first.value, stream, size)
      },
      [Symbol.asyncDispose]: async () => void (await stream.return()),
    }
  }

  async hash(revision = 0): Promise<{ hash: number; revision: number; compactRevision: number }> {
    checkCount('revision', revision)
    const newest = await this.#newest()
    if (revision > newest) throw new StoreError('futureRevision', `revision ${revision} is not there yet: the newest is ${newest}`)
    const at = revision || newest
    const answer = await this.#asked(at, revision === 0, (asked) =>
      this.#connection.unary(MaintenanceService.method.hashKV, { revision: BigInt(asked) }, { repeatable: true, timeout: LONG }),
    )
    return { hash: answer.hash, revision: at, compactRevision: Math.max(0, Number(answer.compactRevision)) }
  }

  /** One member after the other, because each cannot serve meanwhile. */
  async defragment(): Promise<void> {
    await this.#connection.each(MaintenanceService.method.defragment, {}, LONG)
  }

  /** Whether all members that are known hold the same. Each of them compares its own checksums when it starts. */
  async check(): Promise<readonly string[]> {
    const revision = await this.#newest()
    const answers = await this.#asked(revision, true, (asked) =>
      this.#connection.each(MaintenanceService.method.hashKV, { revision: BigInt(asked) }, LONG),
    )
    const [first, ...others] = answers.map(({ url, answer }) => ({ url, hash: answer.hash, base: answer.compactRevision }))
    return others
      .filter(({ hash, base }) => first !== undefined && base === first.base && hash !== first.hash)
      .map(({ url }) => `the etcd members ${first?.url} and ${url} hold different data at revision ${revision}`)
  }

  /**
   * A member answers from what it knows itself, which may be behind what was read before. And when the newest revision is compacted
   * itself, etcd has a hash of it only if it is not named.
   */
  async #asked<T>(revision: number, newest: boolean, ask: (revision: number) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(revision)
      } catch (error) {
        const code = error instanceof StoreError ? error.code : null
        if (code === 'compacted' && newest) return await ask(0)
        if (code !== 'futureRevision' || tries === TRIES) throw error
        await sleep(this.#clock, PAUSE)
      }
    }
  }
}

type Part = MessageShape<typeof SnapshotResponseSchema>

async function* blobs(first: Part, rest: AsyncGenerator<Part, void>, size: number): AsyncGenerator<Uint8Array, void> {
  let sent = 0
  const count = (blob: Uint8Array) => {
    sent += blob.byteLength
    return blob
  }
  yield count(first.blob)
  for await (const { blob } of rest) yield count(blob)
  if (sent !== size) throw new StoreError('unavailable', `etcd ended the snapshot after ${sent} of ${size} bytes`)
}
