/** What etcd's Lock and Election services share: a key of one's own that hangs on a lease, in the queue of those with the same name. */
import { type Key, type LeaseId, prefixRange, type Store, StoreError } from '../../store.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'

/** Seconds that a lease lasts which the client did not bring, as etcd's own sessions. */
const SESSION_TTL = 60

/** The lease, made if there is none; nobody keeps it alive but the client. */
export async function sessionLease(store: Store, lease: LeaseId): Promise<LeaseId> {
  return lease === 0n ? (await store.lease.grant(SESSION_TTL)).id : lease
}

/** Everybody's place in the queue is a key: the name, and the lease in hexadecimal. */
export function placeOf(name: Key, lease: LeaseId): Key {
  return `${name}/${BigInt.asUintN(64, lease).toString(16)}`
}

/** Resolves when no key with the prefix is as old as `revision` any more. Rejects with GrpcError when the client gives up. */
export async function waitForOlder(store: Store, prefix: Key, revision: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (signal.aborted) throw new GrpcError(STATUS.cancelled, 'context canceled')
    const before = await store.range({
      ...prefixRange(prefix),
      maxCreateRevision: revision,
      sort: { target: 'create', order: 'descend' },
      limit: 1,
      keysOnly: true,
    })
    const [last] = before.kvs
    if (!last) return
    await deletionOf(store, last.key, before.revision + 1, signal)
  }
}

/** Resolves at the first deletion, or when it must be looked again. */
async function deletionOf(store: Store, key: Key, from: number, signal: AbortSignal): Promise<void> {
  await using watcher = store.watch({ key, startRevision: from, filter: { noPut: true } })
  const stop = () => void watcher[Symbol.asyncDispose]()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const { events } of watcher) if (events.length > 0) return
  } catch (error) {
    if (!(error instanceof StoreError) || (error.code !== 'compacted' && error.code !== 'slowWatcher')) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
