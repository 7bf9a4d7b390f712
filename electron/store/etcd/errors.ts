/** etcd's refusals, in its words and with its codes (etcd `api/v3rpc/rpctypes`), because clients go by them. */
import { messageOf } from '../../base/errors.ts'
import { StoreError, type StoreErrorCode } from '../store.ts'
import { GrpcError, STATUS, type StatusCode } from './grpc/status.ts'

const refusal = (code: StatusCode, message: string) => () => new GrpcError(code, `etcdserver: ${message}`)

export const REFUSAL = {
  emptyKey: refusal(STATUS.invalidArgument, 'key is not provided'),
  keyNotFound: refusal(STATUS.invalidArgument, 'key not found'),
  valueProvided: refusal(STATUS.invalidArgument, 'value is provided'),
  leaseProvided: refusal(STATUS.invalidArgument, 'lease is provided'),
  tooManyOps: refusal(STATUS.invalidArgument, 'too many operations in txn request'),
  duplicateKey: refusal(STATUS.invalidArgument, 'duplicate key given in txn request'),
  invalidSortOption: refusal(STATUS.invalidArgument, 'invalid sort option'),
  requestTooLarge: refusal(STATUS.invalidArgument, 'request is too large'),
  compacted: refusal(STATUS.outOfRange, 'mvcc: required revision has been compacted'),
  futureRevision: refusal(STATUS.outOfRange, 'mvcc: required revision is a future revision'),
  noSpace: refusal(STATUS.resourceExhausted, 'mvcc: database space exceeded'),
  leaseNotFound: refusal(STATUS.notFound, 'requested lease not found'),
  leaseExists: refusal(STATUS.failedPrecondition, 'lease already exists'),
  leaseTtlTooLarge: refusal(STATUS.outOfRange, 'too large lease TTL'),
  corrupt: refusal(STATUS.dataLoss, 'corrupt cluster'),
  stopped: refusal(STATUS.unavailable, 'server stopped'),
  memberNotFound: refusal(STATUS.notFound, 'member not found'),
  memberNotLearner: refusal(STATUS.failedPrecondition, 'can only promote a learner member'),
  memberNotEnough: refusal(STATUS.failedPrecondition, 're-configuration failed due to not enough started members'),
  badLeaderTransferee: refusal(STATUS.failedPrecondition, 'bad leader transferee'),
  invalidDowngradeTarget: refusal(STATUS.invalidArgument, 'invalid downgrade target version'),
  noDowngrade: refusal(STATUS.failedPrecondition, 'no inflight downgrade job'),
  rootUserMissing: refusal(STATUS.failedPrecondition, 'root user does not exist'),
  authNotEnabled: refusal(STATUS.failedPrecondition, 'authentication is not enabled'),
  userNotFound: refusal(STATUS.failedPrecondition, 'user name not found'),
  roleNotFound: refusal(STATUS.failedPrecondition, 'role name not found'),
} as const

const OF_STORE: Readonly<Record<StoreErrorCode, (error: StoreError) => GrpcError>> = {
  compacted: REFUSAL.compacted,
  futureRevision: REFUSAL.futureRevision,
  keyNotFound: REFUSAL.keyNotFound,
  leaseNotFound: REFUSAL.leaseNotFound,
  leaseExists: REFUSAL.leaseExists,
  duplicateKey: REFUSAL.duplicateKey,
  noSpace: REFUSAL.noSpace,
  corrupt: REFUSAL.corrupt,
  closed: REFUSAL.stopped,
  invalidRequest: ({ message }) => new GrpcError(STATUS.invalidArgument, `etcdserver: ${message}`),
  slowWatcher: ({ message }) => new GrpcError(STATUS.unavailable, `etcdserver: ${message}`),
  unavailable: ({ message }) => new GrpcError(STATUS.unavailable, `etcdserver: ${message}`),
}

/** What a client is told of whatever was thrown. */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error
  if (error instanceof StoreError) return OF_STORE[error.code](error)
  return new GrpcError(STATUS.unknown, messageOf(error), { cause: error })
}
