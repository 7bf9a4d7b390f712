import { type Key, type Lease, type LeaseApi, type LeaseId, StoreError } from '../store.ts'
import { checkGrant } from '../mvcc/lessor.ts'
import type { EtcdConnection } from './connection.ts'
import { Lease as LeaseService } from '../wire/gen/etcd_pb.js'
import { keyOf } from '../wire/keys.ts'

/** How often keeping a lease alive is tried anew when the stream to a member breaks. */
const TRIES = 5

/**
 * Leases live in the cluster, not in the connection: after a failover they are kept alive through another member. Requests for one
 * lease are carried out in the order they were made.
 */
export class RemoteLeases implements LeaseApi {
  readonly #connection: EtcdConnection
  /** The newest revision, by a linearizable read. */
  readonly #newest: () => Promise<number>
  /** The last request that changes the lease; gone when it has ended. */
  readonly #last = new Map<LeaseId, Promise<unknown>>()

  constructor(deps: { connection: EtcdConnection; newest: () => Promise<number> }) {
    this.#connection = deps.connection
    this.#newest = deps.newest
  }

  async grant(ttlSeconds: number, id: LeaseId = 0n): Promise<{ id: LeaseId; ttl: number }> {
    checkGrant(ttlSeconds, id)
    const call = () => this.#connection.unary(LeaseService.method.leaseGrant, { TTL: BigInt(ttlSeconds), ID: id }, { repeatable: false })
    const response = await (id === 0n ? call() : this.#inTurn(id, call))
    return { id: response.ID, ttl: Number(response.TTL) }
  }

  async revoke(id: LeaseId): Promise<{ revision: number }> {
    const { header } = await this.#inTurn(id, () =>
      this.#connection.unary(LeaseService.method.leaseRevoke, { ID: id }, { repeatable: false }),
    )
    return { revision: Number(header?.revision) }
  }

  keepAlive(id: LeaseId): Promise<{ ttl: number }> {
    return this.#inTurn(id, async () => {
      for (let tries = 1; ; tries++) {
        try {
          return { ttl: await this.#renew(id) }
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'unavailable' || tries === TRIES) throw error
        }
      }
    })
  }

  async timeToLive(id: LeaseId, options: { keys?: boolean } = {}): Promise<Lease> {
    const response = await this.#connection.unary(
      LeaseService.method.leaseTimeToLive,
      { ID: id, keys: options.keys ?? false },
      { repeatable: true },
    )
    const ttl = Number(response.TTL)
    if (ttl < 0) return { id, grantedTtl: 0, ttl: -1, keys: [] }
    const keys: Key[] = response.keys.map(keyOf).sort()
    return { id, grantedTtl: Number(response.grantedTTL), ttl, keys }
  }

  /** A member answers from what it knows itself: the read before lets it catch up with the others. */
  async list(): Promise<readonly LeaseId[]> {
    await this.#newest()
    const { leases } = await this.#connection.unary(LeaseService.method.leaseLeases, {}, { repeatable: true })
    return leases.map(({ ID }) => ID)
  }

  async #renew(id: LeaseId): Promise<number> {
    const stream = await this.#connection.duplex(LeaseService.method.leaseKeepAlive)
    stream.send({ ID: id })
    for await (const { TTL } of stream) {
      if (TTL <= 0n) throw new StoreError('leaseNotFound', `there is no lease ${id}`)
      return Number(TTL)
    }
    throw new StoreError('unavailable', `etcd ended the stream that keeps the lease ${id} alive`)
  }

  #inTurn<T>(id: LeaseId, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(id) ?? Promise.resolve()).then(work, work)
    const settled = result.catch(() => undefined)
    this.#last.set(id, settled)
    void settled.then(() => {
      if (this.#last.get(id) === settled) this.#last.delete(id)
    })
    return result
  }
}
