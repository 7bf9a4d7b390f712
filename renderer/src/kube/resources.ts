/** The kinds that the UI knows by name, and what it needs of a kind to address it. */
export interface Resource {
  /** "" for the core group. */
  readonly group: string
  readonly version: string
  /** Plural, as in paths. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
}

const define = (group: string, version: string, resource: string, kind: string, namespaced = true): Resource => ({
  group,
  version,
  resource,
  kind,
  namespaced,
})

export const PODS = define('', 'v1', 'pods', 'Pod')
export const NODES = define('', 'v1', 'nodes', 'Node', false)
export const NAMESPACES = define('', 'v1', 'namespaces', 'Namespace', false)
export const SERVICES = define('', 'v1', 'services', 'Service')
export const CONFIG_MAPS = define('', 'v1', 'configmaps', 'ConfigMap')
export const SECRETS = define('', 'v1', 'secrets', 'Secret')
export const EVENTS = define('', 'v1', 'events', 'Event')
export const DEPLOYMENTS = define('apps', 'v1', 'deployments', 'Deployment')
export const REPLICA_SETS = define('apps', 'v1', 'replicasets', 'ReplicaSet')
export const DAEMON_SETS = define('apps', 'v1', 'daemonsets', 'DaemonSet')
export const STATEFUL_SETS = define('apps', 'v1', 'statefulsets', 'StatefulSet')
export const JOBS = define('batch', 'v1', 'jobs', 'Job')
export const CRON_JOBS = define('batch', 'v1', 'cronjobs', 'CronJob')
export const INGRESSES = define('networking.k8s.io', 'v1', 'ingresses', 'Ingress')
export const NETWORK_POLICIES = define('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy')
export const CLAIMS = define('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim')
export const VOLUMES = define('', 'v1', 'persistentvolumes', 'PersistentVolume', false)
export const STORAGE_CLASSES = define('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false)
export const AUTOSCALERS = define('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler')
export const DISRUPTION_BUDGETS = define('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget')
export const QUOTAS = define('', 'v1', 'resourcequotas', 'ResourceQuota')
export const SERVICE_ACCOUNTS = define('', 'v1', 'serviceaccounts', 'ServiceAccount')
export const ROLES = define('rbac.authorization.k8s.io', 'v1', 'roles', 'Role')
export const CLUSTER_ROLES = define('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false)
export const ROLE_BINDINGS = define('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding')
export const CLUSTER_ROLE_BINDINGS = define('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false)
export const DEFINITIONS = define('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', false)
export const ENDPOINT_SLICES = define('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice')
export const MACHINES = define('infra.flotilla.dev', 'v1alpha1', 'machines', 'Machine', false)

/** Without a list of their own: the server's columns tell what matters. */
export const LIMIT_RANGES = define('', 'v1', 'limitranges', 'LimitRange')
export const PRIORITY_CLASSES = define('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', false)

export const KNOWN: readonly Resource[] = [
  PODS,
  NODES,
  NAMESPACES,
  SERVICES,
  CONFIG_MAPS,
  SECRETS,
  EVENTS,
  DEPLOYMENTS,
  REPLICA_SETS,
  DAEMON_SETS,
  STATEFUL_SETS,
  JOBS,
  CRON_JOBS,
  INGRESSES,
  NETWORK_POLICIES,
  CLAIMS,
  VOLUMES,
  STORAGE_CLASSES,
  AUTOSCALERS,
  DISRUPTION_BUDGETS,
  QUOTAS,
  SERVICE_ACCOUNTS,
  ROLES,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLE_BINDINGS,
  DEFINITIONS,
  ENDPOINT_SLICES,
  MACHINES,
]

export const apiVersion = (r: { group: string; version: string }): string => (r.group ? `${r.group}/${r.version}` : r.version)

/** The known kind of an owner reference or an involved object; null for one that the UI has no page of its own for. */
export function resourceOf(apiVersionText: string | undefined, kind: string | undefined): Resource | null {
  return KNOWN.find((r) => r.kind === kind && (apiVersionText === undefined || apiVersion(r) === apiVersionText)) ?? null
}

/** As kubectl accepts it: "pods", "deployments.apps". */
export const kubectlName = (r: { group: string; resource: string }): string => (r.group ? `${r.resource}.${r.group}` : r.resource)

/** An object's address. */
export interface ObjectRef {
  readonly resource: Resource
  readonly namespace?: string | undefined
  readonly name: string
}

/** "shop/web", or the name alone where there is no namespace. */
export const fullName = (meta: { name: string; namespace?: string | undefined }): string =>
  meta.namespace ? `${meta.namespace}/${meta.name}` : meta.name
