import { Auth } from '../../wire/gen/etcd_pb.js'
import { REFUSAL } from '../errors.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'
import { newestRevision, refused, type Service, type ServiceDeps, unary } from './service.ts'

/** etcd's Auth service while it is off, as it stays here: who has a client certificate of the cluster's CA may do everything. */
export function authService({ store, headers }: ServiceDeps): Service {
  const { method } = Auth
  const header = async () => headers.at(await newestRevision(store))
  return [
    unary(method.authStatus, async () => ({ header: await header(), enabled: false, authRevision: 1n })),
    // It is off: nothing to do, as with etcd.
    unary(method.authDisable, async () => ({ header: await header() })),
    refused(method.authEnable, REFUSAL.rootUserMissing),
    refused(method.authenticate, REFUSAL.authNotEnabled),
    unary(method.userList, async () => ({ header: await header() })),
    unary(method.roleList, async () => ({ header: await header() })),
    refused(method.userGet, REFUSAL.userNotFound),
    refused(method.userDelete, REFUSAL.userNotFound),
    refused(method.userChangePassword, REFUSAL.userNotFound),
    refused(method.userGrantRole, REFUSAL.userNotFound),
    refused(method.userRevokeRole, REFUSAL.userNotFound),
    refused(method.roleGet, REFUSAL.roleNotFound),
    refused(method.roleDelete, REFUSAL.roleNotFound),
    refused(method.roleGrantPermission, REFUSAL.roleNotFound),
    refused(method.roleRevokePermission, REFUSAL.roleNotFound),
    refused(method.userAdd, () => unsupported('users')),
    refused(method.roleAdd, () => unsupported('roles')),
  ]
}

function unsupported(what: string): GrpcError {
  return new GrpcError(STATUS.unimplemented, `etcdserver: ${what} are not supported: clients are known by their certificates`)
}
