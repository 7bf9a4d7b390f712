import { Lock } from '../../wire/gen/lock_pb.js'
import { keyBytes, keyOf } from '../../wire/keys.ts'
import { REFUSAL } from '../errors.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { newestRevision, type Service, type ServiceDeps, unary } from './service.ts'
import { placeOf, sessionLease, waitForOlder } from './session.ts'

/** etcd's Lock service (v3lock): the lock is whose key is the oldest with its name. It is held as long as the lease, or until Unlock. */
export function lockService({ store, headers }: ServiceDeps): Service {
  return [
    unary(Lock.method.lock, async (request, { signal }) => {
      const name = keyOf(request.name)
      const lease = await sessionLease(store, request.lease)
      const key = placeOf(name, lease)
      const taken = await store.txn({
        compare: [{ key, target: 'create', result: 'equal', operand: 0 }],
        success: [{ type: 'put', key, value: new Uint8Array(0), lease }],
        failure: [{ type: 'range', key }],
      })
      const [found] = taken.responses
      const own = found?.type === 'range' ? (found.kvs[0]?.createRevision ?? taken.revision) : taken.revision
      try {
        await waitForOlder(store, `${name}/`, own - 1, signal)
      } catch (error) {
        // Whoever stops waiting leaves the queue.
        await store.txn({ success: [{ type: 'delete', key }] })
        throw error
      }
      const { revision, kvs } = await store.range({ key, keysOnly: true })
      if (kvs.length === 0) throw new GrpcError(STATUS.unknown, 'mutex: session is expired')
      return { header: headers.at(revision), key: keyBytes(key) }
    }),
    unary(Lock.method.unlock, async (request) => {
      if (request.key.length === 0) throw REFUSAL.emptyKey()
      await store.txn({ success: [{ type: 'delete', key: keyOf(request.key) }] })
      return { header: headers.at(await newestRevision(store)) }
    }),
  ]
}
