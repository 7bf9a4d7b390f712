/** The cluster roles and bindings that every cluster has. Source: kubernetes "Default roles and role bindings". */
import {
  aggregated,
  aggregateTo,
  bind,
  type DefaultBinding,
  type DefaultRole,
  group,
  role,
  serviceAccount,
  user,
} from './default-policy.ts'
import { AGGREGATE_ADMIN, AGGREGATE_EDIT, AGGREGATE_VIEW, EVENTS, READ, rule, urls } from './user-facing-rules.ts'

const DELEGATION = [
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
  rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
]
const CSR = 'certificates.k8s.io'

/** Whoever has it approves requests for certificates of this signer. */
const approver = (name: string, signer: string) =>
  role(`system:${CSR}:${name}`, [{ ...rule(CSR, ['signers'], ['approve']), resourceNames: [`kubernetes.io/${signer}`] }])

export const DEFAULT_ROLES: readonly DefaultRole[] = [
  role('cluster-admin', [rule('*', ['*'], ['*']), urls(['*'], ['*'])]),
  aggregated('admin'),
  aggregated('edit', { [aggregateTo('admin')]: 'true' }),
  aggregated('view', { [aggregateTo('edit')]: 'true' }),
  role('system:aggregate-to-admin', AGGREGATE_ADMIN, { [aggregateTo('admin')]: 'true' }),
  role('system:aggregate-to-edit', AGGREGATE_EDIT, { [aggregateTo('edit')]: 'true' }),
  role('system:aggregate-to-view', AGGREGATE_VIEW, { [aggregateTo('view')]: 'true' }),
  role('system:discovery', [
    urls(['/livez', '/readyz', '/healthz', '/version', '/version/', '/openapi', '/openapi/*', '/api', '/api/*', '/apis', '/apis/*']),
  ]),
  role('system:public-info-viewer', [urls(['/livez', '/readyz', '/healthz', '/version', '/version/'])]),
  role('system:basic-user', [
    rule('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
    rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
  ]),
  role('system:service-account-issuer-discovery', [
    urls(['/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/']),
  ]),
  role('system:monitoring', [urls(['/metrics', '/metrics/slis', '/livez', '/readyz', '/healthz', '/livez/*', '/readyz/*', '/healthz/*'])]),
  role('system:auth-delegator', DELEGATION),
  role('system:kubelet-api-admin', [
    rule('', ['nodes'], ['get', 'list', 'watch', 'proxy']),
    rule('', ['nodes/proxy', 'nodes/metrics', 'nodes/log', 'nodes/stats', 'nodes/configz', 'nodes/healthz', 'nodes/pods'], ['*']),
  ]),
  role('system:node-bootstrapper', [rule(CSR, ['certificatesigningrequests'], ['create', ...READ])]),
  role(`system:${CSR}:certificatesigningrequests:nodeclient`, [rule(CSR, ['certificatesigningrequests/nodeclient'], ['create'])]),
  role(`system:${CSR}:certificatesigningrequests:selfnodeclient`, [rule(CSR, ['certificatesigningrequests/selfnodeclient'], ['create'])]),
  approver('legacy-unknown-approver', 'legacy-unknown'),
  approver('kubelet-serving-approver', 'kubelet-serving'),
  approver('kube-apiserver-client-approver', 'kube-apiserver-client'),
  approver('kube-apiserver-client-kubelet-approver', 'kube-apiserver-client-kubelet'),
  role('system:node', [
    ...DELEGATION,
    rule('', ['services', 'namespaces', 'endpoints'], READ),
    rule('discovery.k8s.io', ['endpointslices'], READ),
    rule('node.k8s.io', ['runtimeclasses'], READ),
    rule('storage.k8s.io', ['csidrivers', 'storageclasses'], READ),
    rule('', ['nodes'], ['create', ...READ, 'patch', 'update']),
    rule('', ['nodes/status'], ['patch', 'update']),
    rule('', ['pods'], [...READ, 'delete']),
    rule('', ['pods/status'], ['get', 'patch', 'update']),
    rule('', ['pods/eviction'], ['create']),
    rule('', ['configmaps', 'secrets'], READ),
    rule('', ['persistentvolumeclaims', 'persistentvolumes'], ['get']),
    rule('', ['serviceaccounts'], ['get']),
    rule('', ['serviceaccounts/token'], ['create']),
    rule(CSR, ['certificatesigningrequests'], ['create', ...READ]),
    rule('coordination.k8s.io', ['leases'], ['create', 'delete', 'get', 'patch', 'update']),
    rule('storage.k8s.io', ['csinodes'], ['create', 'delete', 'get', 'patch', 'update']),
    EVENTS,
  ]),
  role('system:node-proxier', [
    rule('', ['services', 'endpoints', 'nodes'], READ),
    rule('discovery.k8s.io', ['endpointslices'], READ),
    EVENTS,
  ]),
  role('system:node-problem-detector', [rule('', ['nodes'], ['get']), rule('', ['nodes/status'], ['patch']), EVENTS]),
  role('system:kube-dns', [rule('', ['endpoints', 'services'], ['list', 'watch'])]),
  role('system:persistent-volume-provisioner', [
    rule('', ['persistentvolumes'], ['create', 'delete', ...READ]),
    rule('', ['persistentvolumeclaims'], [...READ, 'update']),
    rule('storage.k8s.io', ['storageclasses'], READ),
    rule('', ['events'], ['watch']),
    EVENTS,
  ]),
  role('system:volume-scheduler', [
    rule('', ['persistentvolumes'], [...READ, 'patch', 'update']),
    rule('storage.k8s.io', ['storageclasses'], READ),
    rule('', ['persistentvolumeclaims'], [...READ, 'patch', 'update']),
  ]),
  role('system:kube-aggregator', [rule('', ['endpoints', 'services'], READ), rule('discovery.k8s.io', ['endpointslices'], READ)]),
  role('system:heapster', [rule('', ['events', 'namespaces', 'nodes', 'pods'], READ), rule('extensions', ['deployments'], READ)]),
  role('system:kube-scheduler', [
    EVENTS,
    ...DELEGATION,
    rule('', ['nodes', 'namespaces', 'services', 'replicationcontrollers', 'persistentvolumes', 'persistentvolumeclaims'], READ),
    rule('', ['persistentvolumes', 'persistentvolumeclaims'], ['patch', 'update']),
    rule('', ['pods'], ['delete', ...READ]),
    rule('', ['bindings', 'pods/binding'], ['create']),
    rule('', ['pods/status'], ['patch', 'update']),
    rule('apps', ['replicasets', 'statefulsets'], READ),
    rule('policy', ['poddisruptionbudgets'], READ),
    rule('scheduling.k8s.io', ['priorityclasses'], READ),
    rule('storage.k8s.io', ['csidrivers', 'csinodes', 'csistoragecapacities', 'storageclasses', 'volumeattachments'], READ),
    rule('resource.k8s.io', ['deviceclasses', 'resourceclaims', 'resourceslices'], READ),
    rule('resource.k8s.io', ['resourceclaims', 'resourceclaims/status'], ['patch', 'update']),
    rule('coordination.k8s.io', ['leases'], ['create', 'get', 'list', 'update', 'watch']),
  ]),
  // Garbage collection, namespace deletion and aggregation reach every kind, those of users' definitions included.
  role('system:kube-controller-manager', [rule('*', ['*'], ['*']), urls(['*'])]),
]

export const DEFAULT_BINDINGS: readonly DefaultBinding[] = [
  bind('cluster-admin', [group('system:masters')]),
  bind('system:discovery', [group('system:authenticated')]),
  bind('system:basic-user', [group('system:authenticated')]),
  bind('system:public-info-viewer', [group('system:authenticated'), group('system:unauthenticated')]),
  bind('system:service-account-issuer-discovery', [group('system:serviceaccounts')]),
  bind('system:monitoring', [group('system:monitoring')]),
  bind('system:node', []),
  bind('system:node-proxier', [user('system:kube-proxy')]),
  bind('system:kube-dns', [serviceAccount('kube-system', 'kube-dns')]),
  bind('system:kube-scheduler', [user('system:kube-scheduler')]),
  bind('system:volume-scheduler', [user('system:kube-scheduler')]),
  bind('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  bind('flotilla:node-bootstrappers', [group('system:bootstrappers')], 'system:node-bootstrapper'),
  bind('flotilla:node-client-certificates', [group('system:bootstrappers')], `system:${CSR}:certificatesigningrequests:nodeclient`),
  bind('flotilla:node-certificate-renewal', [group('system:nodes')], `system:${CSR}:certificatesigningrequests:selfnodeclient`),
]
