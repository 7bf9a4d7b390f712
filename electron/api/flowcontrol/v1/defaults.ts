/** The priority levels and flow schemas that every cluster has. Source: kubernetes "API Priority and Fairness", mandatory and suggested objects. */
import type {
  FlowSchema,
  LimitedPriorityLevelConfiguration,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
  Subject,
} from './types.gen.ts'

type Default<T extends { spec: unknown }> = { readonly metadata: { readonly name: string }; readonly spec: T['spec'] }
export type DefaultLevel = Default<PriorityLevelConfiguration>
export type DefaultSchema = Default<FlowSchema>

/** "true": the server keeps the spec as it is here; "false": it is its owner's. */
export const AUTOUPDATE = 'apf.kubernetes.io/autoupdate-spec'

const ALL = ['*']
const EVERYONE = ['system:unauthenticated', 'system:authenticated']

function queued(shares: number, lendablePercent: number, queues: number, handSize: number): LimitedPriorityLevelConfiguration {
  const limitResponse = { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }
  return { nominalConcurrencyShares: shares, lendablePercent, limitResponse }
}

const limited = (name: string, spec: LimitedPriorityLevelConfiguration): DefaultLevel => ({
  metadata: { name },
  spec: { type: 'Limited', limited: spec },
})

/** Kept as they are, whatever anybody writes into them. */
export const MANDATORY_LEVELS: readonly DefaultLevel[] = [
  { metadata: { name: 'exempt' }, spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  limited('catch-all', { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } }),
]

export const SUGGESTED_LEVELS: readonly DefaultLevel[] = [
  limited('system', queued(30, 33, 64, 6)),
  limited('node-high', queued(40, 25, 64, 6)),
  limited('leader-election', queued(10, 0, 16, 4)),
  limited('workload-high', queued(40, 50, 128, 6)),
  limited('workload-low', queued(100, 90, 128, 6)),
  limited('global-default', queued(20, 50, 128, 6)),
]

const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const systemAccounts = (...names: string[]): Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } }))

const everything = (subjects: Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL, namespaces: ALL, clusterScope: true }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
})

/** What changes an object that one holds alone: a lease, or what was used as one. */
const holding = (group: string, resource: string): ResourcePolicyRule => ({
  verbs: ['get', 'create', 'update'],
  apiGroups: [group],
  resources: [resource],
  namespaces: ALL,
})

function schema(
  name: string,
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | null,
  rule: PolicyRulesWithSubjects,
): DefaultSchema {
  return {
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
      rules: [rule],
    },
  }
}

export const MANDATORY_SCHEMAS: readonly DefaultSchema[] = [
  schema('exempt', 'exempt', 1, null, everything(groups('system:masters'))),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everything(groups(...EVERYONE))),
]

export const SUGGESTED_SCHEMAS: readonly DefaultSchema[] = [
  schema('probes', 'exempt', 2, null, {
    subjects: groups(...EVERYONE),
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...systemAccounts('*')],
    resourceRules: [holding('coordination.k8s.io', 'leases')],
  }),
  schema('endpoint-controller', 'workload-high', 150, 'ByUser', {
    subjects: [...users('system:kube-controller-manager'), ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller')],
    resourceRules: [holding('', 'endpoints')],
  }),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', {
    subjects: systemAccounts('*'),
    resourceRules: [holding('', 'endpoints'), holding('', 'configmaps'), holding('coordination.k8s.io', 'leases')],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      { verbs: ALL, apiGroups: [''], resources: ['nodes', 'nodes/status'], namespaces: ALL, clusterScope: true },
      { verbs: ALL, apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ALL },
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', everything(groups('system:nodes'))),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-controller-manager'))),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(systemAccounts('*'))),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(groups(...EVERYONE))),
]
