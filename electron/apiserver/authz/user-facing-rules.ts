/** What `view`, `edit` and `admin` are made of. Source: kubernetes "User-facing roles". */
import type { PolicyRule } from '../../api/rbac/v1/types.gen.ts'

export const READ = ['get', 'list', 'watch']
export const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update']

export function rule(groups: string | readonly string[], resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: typeof groups === 'string' ? [groups] : [...groups], resources: [...resources], verbs: [...verbs] }
}

export function urls(nonResourceURLs: readonly string[], verbs: readonly string[] = ['get']): PolicyRule {
  return { nonResourceURLs: [...nonResourceURLs], verbs: [...verbs] }
}

/** To write events of both groups. */
export const EVENTS = rule(['', 'events.k8s.io'], ['events'], ['create', 'patch', 'update'])

const withParts = (resources: readonly string[], ...parts: string[]) =>
  resources.flatMap((one) => [one, ...parts.map((part) => `${one}/${part}`)])

const SCALED_APPS = ['deployments', 'replicasets', 'statefulsets']
const INGRESS = ['ingresses', 'networkpolicies']

export const AGGREGATE_VIEW: PolicyRule[] = [
  rule(
    '',
    [
      ...withParts(['pods', 'services', 'persistentvolumeclaims', 'resourcequotas', 'namespaces', 'replicationcontrollers'], 'status'),
      ...['configmaps', 'endpoints', 'serviceaccounts', 'bindings', 'events', 'limitranges', 'pods/log', 'replicationcontrollers/scale'],
    ],
    READ,
  ),
  rule('apps', [...withParts(SCALED_APPS, 'scale', 'status'), 'controllerrevisions', 'daemonsets', 'daemonsets/status'], READ),
  rule('autoscaling', withParts(['horizontalpodautoscalers'], 'status'), READ),
  rule('batch', withParts(['cronjobs', 'jobs'], 'status'), READ),
  rule('discovery.k8s.io', ['endpointslices'], READ),
  rule('metrics.k8s.io', ['nodes', 'pods'], READ),
  rule('networking.k8s.io', [...INGRESS, 'ingresses/status'], READ),
  rule('policy', withParts(['poddisruptionbudgets'], 'status'), READ),
  rule('resource.k8s.io', [...withParts(['resourceclaims'], 'status'), 'resourceclaimtemplates'], READ),
]

export const AGGREGATE_EDIT: PolicyRule[] = [
  rule('', ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'services/proxy', 'secrets'], READ),
  rule('', ['serviceaccounts'], ['impersonate']),
  rule('', ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'], WRITE),
  rule('', ['pods/eviction'], ['create']),
  rule(
    '',
    [
      ...['configmaps', 'events', 'persistentvolumeclaims', 'secrets', 'serviceaccounts', 'services', 'services/proxy'],
      ...['replicationcontrollers', 'replicationcontrollers/scale'],
    ],
    WRITE,
  ),
  rule('', ['serviceaccounts/token'], ['create']),
  rule('apps', [...withParts(SCALED_APPS, 'scale'), 'deployments/rollback', 'daemonsets'], WRITE),
  rule('autoscaling', ['horizontalpodautoscalers'], WRITE),
  rule('batch', ['cronjobs', 'jobs'], WRITE),
  rule('networking.k8s.io', INGRESS, WRITE),
  rule('policy', ['poddisruptionbudgets'], WRITE),
  rule('resource.k8s.io', ['resourceclaims', 'resourceclaimtemplates'], WRITE),
  rule('coordination.k8s.io', ['leases'], [...WRITE, ...READ]),
]

export const AGGREGATE_ADMIN: PolicyRule[] = [
  rule('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
  rule('rbac.authorization.k8s.io', ['roles', 'rolebindings'], [...WRITE, ...READ]),
]
