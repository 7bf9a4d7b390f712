import {
  AlarmRequest_AlarmAction,
  AlarmType,
  DowngradeRequest_DowngradeAction,
  Maintenance,
  SnapshotResponseSchema,
} from '../../wire/gen/etcd_pb.js'
import type { StoreStatus } from '../../store.ts'
import { RAFT_TERM } from '../codec/header.ts'
import { REFUSAL, toGrpcError } from '../errors.ts'
import type { StreamCall } from '../grpc/call.ts'
import { newestRevision, pathOf, refused, serialize, type Service, type ServiceDeps, unary } from './service.ts'

/** The etcd whose API this is. Clients go by it. */
export const ETCD_VERSION = '3.6.0'

const ALARMS: Readonly<Record<StoreStatus['alarms'][number], AlarmType>> = {
  noSpace: AlarmType.NOSPACE,
  quota: AlarmType.NOSPACE,
  corrupt: AlarmType.CORRUPT,
  ioError: AlarmType.CORRUPT,
}

/** etcd's Maintenance service. */
export function maintenanceService(deps: ServiceDeps): Service {
  const { store, headers, identity } = deps
  const { memberId } = identity
  const header = async () => headers.at(await newestRevision(store))
  return [
    unary(Maintenance.method.alarm, async ({ action, alarm }) => {
      const { revision, alarms } = await store.status()
      const own = { header: headers.at(revision) }
      // Alarms end by themselves, when what they tell of has ended: nothing that a client could do to them.
      if (action !== AlarmRequest_AlarmAction.GET) return own
      const raised = [...new Set(alarms.map((name) => ALARMS[name]))].filter((each) => alarm === AlarmType.NONE || alarm === each)
      return { ...own, alarms: raised.map((each) => ({ memberID: memberId, alarm: each })) }
    }),
    unary(Maintenance.method.status, async () => {
      const { revision, dbSize, dbSizeInUse, quota, alarms } = await store.status()
      return {
        header: headers.at(revision),
        version: ETCD_VERSION,
        storageVersion: ETCD_VERSION,
        dbSize: BigInt(dbSize),
        dbSizeInUse: BigInt(dbSizeInUse),
        dbSizeQuota: BigInt(quota),
        leader: memberId,
        raftIndex: BigInt(revision),
        raftAppliedIndex: BigInt(revision),
        raftTerm: BigInt(RAFT_TERM),
        errors: [...new Set(alarms.map((name) => ALARMS[name]))].map((alarm) => `memberID:${memberId} alarm:${AlarmType[alarm]} `),
      }
    }),
    unary(Maintenance.method.defragment, async () => {
      await store.maintenance.defragment()
      return { header: await header() }
    }),
    unary(Maintenance.method.hash, async () => {
      const { hash, revision } = await store.maintenance.hash()
      return { header: headers.at(revision), hash }
    }),
    unary(Maintenance.method.hashKV, async ({ revision: wanted }) => {
      const { hash, revision, compactRevision } = await store.maintenance.hash(Math.max(0, Number(wanted)))
      return { header: await header(), hash, compactRevision: BigInt(compactRevision), hashRevision: BigInt(revision) }
    }),
    [
      pathOf(Maintenance.method.snapshot),
      {
        kind: 'stream',
        open: (call) => ({
          message: () => void sendSnapshot(deps, call).catch((error: unknown) => call.finish(toGrpcError(error))),
          end() {},
        }),
      },
    ],
    refused(Maintenance.method.moveLeader, REFUSAL.badLeaderTransferee),
    unary(Maintenance.method.downgrade, ({ action }) =>
      Promise.reject(action === DowngradeRequest_DowngradeAction.CANCEL ? REFUSAL.noDowngrade() : REFUSAL.invalidDowngradeTarget()),
    ),
  ]
}

/** Of SHA-256, which is behind the database and is not counted in what remains. */
const CHECKSUM = 32

async function sendSnapshot({ store, headers }: ServiceDeps, call: StreamCall): Promise<void> {
  await using snapshot = await store.maintenance.snapshot()
  let left = snapshot.size - CHECKSUM
  for await (const blob of snapshot) {
    if (call.signal.aborted) return
    left = Math.max(0, left - blob.length)
    call.send(
      serialize(SnapshotResponseSchema, {
        header: headers.at(snapshot.revision),
        remainingBytes: BigInt(left),
        blob,
        version: ETCD_VERSION,
      }),
    )
    await call.drained()
  }
  call.finish()
}
