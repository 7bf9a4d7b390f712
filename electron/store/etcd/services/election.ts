import { Election, type LeaderKey, LeaderRequestSchema, LeaderResponseSchema } from '../../wire/gen/election_pb.js'
import { keyBytes, keyOf } from '../../wire/keys.ts'
import { type Compare, type Key, type KeyValue, type Op, prefixRange, type RangeRequest, type Store, StoreError } from '../../store.ts'
import { toGrpcError } from '../errors.ts'
import type { StreamCall } from '../grpc/call.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { parse, pathOf, serialize, type Service, type ServiceDeps, unary } from './service.ts'
import { placeOf, sessionLease, waitForOlder } from './session.ts'

/** etcd's Election service (v3election): the leader is whose key is the oldest with the election's name; its value is the proclamation. */
export function electionService(deps: ServiceDeps): Service {
  const { store, headers } = deps
  const { method } = Election
  return [
    unary(method.campaign, async (request, { signal }) => {
      const name = keyOf(request.name)
      const lease = await sessionLease(store, request.lease)
      const key = placeOf(name, lease)
      const put: Op = { type: 'put', key, value: new Uint8Array(request.value), lease }
      const entered = await store.txn({
        compare: [{ key, target: 'create', result: 'equal', operand: 0 }],
        success: [put],
        failure: [{ type: 'range', key, keysOnly: true }, put],
      })
      const [found] = entered.responses
      const rev = found?.type === 'range' ? (found.kvs[0]?.createRevision ?? entered.revision) : entered.revision
      try {
        await waitForOlder(store, `${name}/`, rev - 1, signal)
      } catch (error) {
        if (signal.aborted) await store.txn(resignation(key, rev))
        throw error
      }
      const leader = { name: request.name, key: keyBytes(key), rev: BigInt(rev), lease }
      return { header: headers.at(entered.revision), leader }
    }),
    unary(method.proclaim, async ({ leader, value }) => {
      const { key, rev, lease } = checked(leader)
      const { succeeded, revision } = await store.txn({
        compare: [leads(key, rev)],
        success: [{ type: 'put', key, value: new Uint8Array(value), lease }],
      })
      if (!succeeded) throw new GrpcError(STATUS.unknown, 'election: not leader')
      return { header: headers.at(revision) }
    }),
    unary(method.leader, async ({ name }) => {
      const { revision, kvs } = await store.range(leaderOf(keyOf(name)))
      const [leader] = kvs
      if (!leader) throw new GrpcError(STATUS.unknown, 'election: no leader')
      return { header: headers.at(revision), kv: toWire(leader) }
    }),
    unary(method.resign, async ({ leader }) => {
      const { key, rev } = checked(leader)
      const { revision } = await store.txn(resignation(key, rev))
      return { header: headers.at(revision) }
    }),
    [
      pathOf(method.observe),
      {
        kind: 'stream',
        open: (call) => ({
          message(bytes) {
            const { name } = parse(LeaderRequestSchema, bytes)
            observe(deps, keyOf(name), call).catch((error: unknown) => call.finish(toGrpcError(error)))
          },
          end() {},
        }),
      },
    ],
  ]
}

/** Tells the newest of what each leader proclaims, though not necessarily all that came between. */
async function observe({ store, headers }: ServiceDeps, name: Key, call: StreamCall): Promise<void> {
  let told: KeyValue | null = null
  while (!call.signal.aborted) {
    const { revision, kvs } = await store.range(leaderOf(name))
    const [leader] = kvs
    // Who leads after another may have proclaimed before that one did.
    if (leader && (leader.key !== told?.key || leader.modRevision !== told.modRevision)) {
      told = leader
      call.send(serialize(LeaderResponseSchema, { header: headers.at(revision), kv: toWire(leader) }))
      await call.drained()
    }
    await nextChange(store, name, revision + 1, call.signal)
  }
}

async function nextChange(store: Store, name: Key, startRevision: number, signal: AbortSignal): Promise<void> {
  await using watcher = store.watch({ ...prefixRange(`${name}/`), startRevision })
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

function leaderOf(name: Key): RangeRequest {
  return { ...prefixRange(`${name}/`), sort: { target: 'create', order: 'ascend' }, limit: 1 }
}

function leads(key: Key, rev: number): Compare {
  return { key, target: 'create', result: 'equal', operand: rev }
}

function resignation(key: Key, rev: number): { compare: Compare[]; success: Op[] } {
  return { compare: [leads(key, rev)], success: [{ type: 'delete', key }] }
}

function checked(leader: LeaderKey | undefined): { key: Key; rev: number; lease: bigint } {
  if (!leader) throw new GrpcError(STATUS.unknown, '"leader" field must be provided')
  return { key: keyOf(leader.key), rev: Math.max(0, Number(leader.rev)), lease: leader.lease }
}

function toWire({ key, value, createRevision, modRevision, version, lease }: KeyValue) {
  return {
    ...{ key: keyBytes(key), value, lease },
    ...{ createRevision: BigInt(createRevision), modRevision: BigInt(modRevision), version: BigInt(version) },
  }
}
