import { Cluster } from '../../wire/gen/etcd_pb.js'
import { REFUSAL } from '../errors.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { newestRevision, type Service, type ServiceDeps, unary } from './service.ts'

/** etcd's Cluster service, of a cluster of one member that stays as it is. */
export function clusterService({ store, headers, identity, clientUrls }: ServiceDeps): Service {
  const known = (id: bigint) => id === identity.memberId
  return [
    unary(Cluster.method.memberList, async () => ({
      header: headers.at(await newestRevision(store)),
      members: [{ ID: identity.memberId, name: identity.name, clientURLs: [...clientUrls()] }],
    })),
    unary(Cluster.method.memberAdd, () => Promise.reject(fixed('MemberAdd'))),
    unary(Cluster.method.memberUpdate, ({ ID }) => Promise.reject(known(ID) ? fixed('MemberUpdate') : REFUSAL.memberNotFound())),
    unary(Cluster.method.memberRemove, ({ ID }) => Promise.reject(known(ID) ? REFUSAL.memberNotEnough() : REFUSAL.memberNotFound())),
    unary(Cluster.method.memberPromote, ({ ID }) => Promise.reject(known(ID) ? REFUSAL.memberNotLearner() : REFUSAL.memberNotFound())),
  ]
}

function fixed(method: string): GrpcError {
  return new GrpcError(STATUS.unimplemented, `etcdserver: ${method} is not supported: this store has one member, which stays as it is`)
}
