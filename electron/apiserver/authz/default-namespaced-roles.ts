/** The roles and bindings that the system's namespaces have. Source: kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`. */
import { bindIn, type DefaultBinding, type DefaultRole, roleIn, serviceAccount, user } from './default-policy.ts'
import { EVENTS, READ, rule } from './user-facing-rules.ts'

const SYSTEM = 'kube-system'
const PUBLIC = 'kube-public'
const MANAGER = 'kube-controller-manager'
const SCHEDULER = 'kube-scheduler'
/** Aggregated API servers bind it to read how this server presents itself to them. */
const AUTHENTICATION_READER = 'extension-apiserver-authentication-reader'
const controller = (name: string) => `system:controller:${name}`
const leading = (name: string) => `system::leader-locking-${name}`

const leadingRole = (name: string) =>
  roleIn(SYSTEM, leading(name), [
    rule('', ['configmaps'], ['watch']),
    { ...rule('', ['configmaps'], ['get', 'update']), resourceNames: [name] },
  ])

export const NAMESPACED_ROLES: readonly DefaultRole[] = [
  roleIn(SYSTEM, AUTHENTICATION_READER, [{ ...rule('', ['configmaps'], READ), resourceNames: ['extension-apiserver-authentication'] }]),
  roleIn(SYSTEM, controller('bootstrap-signer'), [rule('', ['secrets'], READ)]),
  roleIn(SYSTEM, controller('cloud-provider'), [rule('', ['configmaps'], ['create', ...READ])]),
  roleIn(SYSTEM, controller('token-cleaner'), [rule('', ['secrets'], [...READ, 'delete']), EVENTS]),
  leadingRole(MANAGER),
  leadingRole(SCHEDULER),
  roleIn(PUBLIC, controller('bootstrap-signer'), [
    rule('', ['configmaps'], READ),
    { ...rule('', ['configmaps'], ['update']), resourceNames: ['cluster-info'] },
    EVENTS,
  ]),
]

const own = (namespace: string, name: string) => bindIn(namespace, controller(name), [serviceAccount(SYSTEM, name)])
const lead = (name: string) => bindIn(SYSTEM, leading(name), [user(`system:${name}`), serviceAccount(SYSTEM, name)])

export const NAMESPACED_BINDINGS: readonly DefaultBinding[] = [
  bindIn(SYSTEM, `system::${AUTHENTICATION_READER}`, [user(`system:${MANAGER}`), user(`system:${SCHEDULER}`)], AUTHENTICATION_READER),
  own(SYSTEM, 'bootstrap-signer'),
  own(SYSTEM, 'cloud-provider'),
  own(SYSTEM, 'token-cleaner'),
  lead(MANAGER),
  lead(SCHEDULER),
  own(PUBLIC, 'bootstrap-signer'),
]
