import { Lease, LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } from '../../wire/gen/etcd_pb.js'
import { keyBytes } from '../../wire/keys.ts'
import { type LeaseId, StoreError } from '../../store.ts'
import { REFUSAL, toGrpcError } from '../errors.ts'
import type { StreamCall, StreamReceiver } from '../grpc/call.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { newestRevision, parse, pathOf, serialize, type Service, type ServiceDeps, unary } from './service.ts'

/** Seconds, as etcd. */
const MAX_TTL = 9_000_000_000n
/** Requests of one stream that may wait for their turn. */
const MAX_WAITING = 10_000

/** etcd's Lease service. */
export function leaseService(deps: ServiceDeps): Service {
  const { store, headers } = deps
  const header = async () => headers.at(await newestRevision(store))
  return [
    unary(Lease.method.leaseGrant, async ({ TTL, ID }) => {
      if (TTL > MAX_TTL) throw REFUSAL.leaseTtlTooLarge()
      const { id, ttl } = await store.lease.grant(Math.max(1, Number(TTL)), ID)
      return { header: await header(), ID: id, TTL: BigInt(ttl) }
    }),
    unary(Lease.method.leaseRevoke, async ({ ID }) => {
      const { revision } = await store.lease.revoke(ID)
      return { header: headers.at(revision) }
    }),
    unary(Lease.method.leaseTimeToLive, async ({ ID, keys: wanted }) => {
      const { ttl, grantedTtl, keys } = await store.lease.timeToLive(ID, { keys: wanted })
      return { header: await header(), ID, TTL: BigInt(ttl), grantedTTL: BigInt(grantedTtl), keys: keys.map(keyBytes) }
    }),
    unary(Lease.method.leaseLeases, async () => {
      const ids = await store.lease.list()
      return { header: await header(), leases: ids.map((ID) => ({ ID })) }
    }),
    [pathOf(Lease.method.leaseKeepAlive), { kind: 'stream', open: (call) => new KeepAlive(deps, call) }],
  ]
}

/** Answers in the order of the requests. A lease that is not there has 0 seconds left. */
class KeepAlive implements StreamReceiver {
  readonly #deps: ServiceDeps
  readonly #call: StreamCall
  readonly #waiting: LeaseId[] = []
  #working = false
  #complete = false

  constructor(deps: ServiceDeps, call: StreamCall) {
    this.#deps = deps
    this.#call = call
  }

  message(bytes: Buffer): void {
    this.#waiting.push(parse(LeaseKeepAliveRequestSchema, bytes).ID)
    if (this.#waiting.length > MAX_WAITING) throw new GrpcError(STATUS.resourceExhausted, 'etcdserver: too many requests')
    if (!this.#working) void this.#work()
  }

  end(): void {
    this.#complete = true
    if (!this.#working) this.#call.finish()
  }

  async #work(): Promise<void> {
    const { store, headers } = this.#deps
    this.#working = true
    try {
      for (let id = this.#waiting.shift(); id !== undefined && !this.#call.signal.aborted; id = this.#waiting.shift()) {
        // Before the lease is kept alive, so that no client takes it for alive at a revision at which it was revoked.
        const header = headers.at(await newestRevision(store))
        const ttl = await this.#keepAlive(id)
        this.#call.send(serialize(LeaseKeepAliveResponseSchema, { header, ID: id, TTL: BigInt(ttl) }))
        await this.#call.drained()
      }
      if (this.#complete) this.#call.finish()
    } catch (error) {
      this.#call.finish(toGrpcError(error))
    } finally {
      this.#working = false
    }
  }

  async #keepAlive(id: LeaseId): Promise<number> {
    try {
      return (await this.#deps.store.lease.keepAlive(id)).ttl
    } catch (error) {
      if (error instanceof StoreError && error.code === 'leaseNotFound') return 0
      throw error
    }
  }
}
