/** How each kind that the UI has a list for is ordered, narrowed and grouped. */
import type { CustomResourceDefinition } from '../../api/apiextensions/v1/types.gen.ts'
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { HorizontalPodAutoscaler } from '../../api/autoscaling/v2/types.gen.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import type {
  ConfigMap,
  Event,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplateSpec,
  ResourceQuota,
  Secret,
  Service,
} from '../../api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Ingress, NetworkPolicy } from '../../api/networking/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../api/policy/v1/types.gen.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../api/rbac/v1/types.gen.ts'
import type { StorageClass } from '../../api/storage/v1/types.gen.ts'
import { dataSizes, slimData, totalSize } from './data.ts'
import { facts, slim, type Around, type ListFacts } from './facts.ts'
import { nodeState } from './nodes.ts'
import { POD_FACTS } from './pods.ts'
import { amount, percent } from './quantity.ts'
import { TONE_RANK } from './tone.ts'
import {
  cronJobState,
  daemonSetProgress,
  deploymentProgress,
  jobProgress,
  replicaSetProgress,
  statefulSetProgress,
  type Progress,
} from './workloads.ts'

const images = (template: PodTemplateSpec | undefined) => (template?.spec.containers ?? []).map((c) => c.image ?? '')
const REVISION = 'deployment.kubernetes.io/revision'
const revision = (object: KubeObject) => Number(object.metadata.annotations?.[REVISION] ?? 0)

interface Rolling extends KubeObject {
  readonly spec: { readonly template: PodTemplateSpec }
}

function workload<T extends Rolling>(progress: (object: T) => Progress, own: Partial<ListFacts<T>> = {}): ListFacts<T> {
  const worst = (object: T, around: Around) => {
    const pod = around.worstPod(object.metadata.uid)
    return Math.min(TONE_RANK[progress(object).tone], pod ? TONE_RANK[pod.tone] : 2, 2)
  }
  const word = (object: T, around: Around) => around.worstPod(object.metadata.uid)?.word ?? progress(object).state
  return facts<T>({
    ...own,
    keys: {
      ready: (object) => progress(object).ready - progress(object).wanted,
      status: (object, around) => `${worst(object, around)}${word(object, around)}`,
      images: (object) => images(object.spec.template).join(),
      revision,
      ...own.keys,
    },
    chips: { stuck: (object, around) => worst(object, around) < 2, ...own.chips },
    groups: { status: word, ...own.groups },
    first: worst,
    words: (object) => images(object.spec.template),
    hasPods: true,
  })
}

const jobs = facts<Job>({
  keys: {
    done: (job) => job.status.succeeded ?? 0,
    status: (job) => `${TONE_RANK[jobProgress(job).tone]}${jobProgress(job).state}`,
    failed: (job) => -(job.status.failed ?? 0),
    duration: ({ status }, { now }) =>
      status.startTime ? Date.parse(status.startTime) - (status.completionTime ? Date.parse(status.completionTime) : now) : 0,
    images: (job) => images(job.spec.template).join(),
  },
  chips: { failed: (job) => jobProgress(job).tone === 'err', running: (job) => jobProgress(job).tone === 'busy' },
  groups: { status: (job) => jobProgress(job).state },
  first: (job) => Math.min(TONE_RANK[jobProgress(job).tone], 2),
  words: (job) => images(job.spec.template),
  hasPods: true,
})

const cronJobs = facts<CronJob>({
  keys: {
    status: (job) => cronJobState(job),
    last: (job) => -Date.parse(job.status.lastScheduleTime ?? '1970-01-01T00:00:00Z'),
    images: (job) => images(job.spec.jobTemplate.spec.template).join(),
    schedule: (job) => job.spec.schedule,
  },
  chips: { suspended: (job) => job.spec.suspend === true },
  words: (job) => [job.spec.schedule, ...images(job.spec.jobTemplate.spec.template)],
})

/** As the filter and the order read an Ingress's rules. */
const hosts = ({ spec }: Ingress): string => (spec.rules ?? []).map((rule) => rule.host ?? '*').join(', ') || '*'

const claimSize = ({ spec, status }: PersistentVolumeClaim) => amount(status.capacity?.['storage'] ?? spec.resources.requests?.['storage'])

const tightest = ({ status }: ResourceQuota) =>
  Math.max(0, ...Object.entries(status?.hard ?? {}).map(([name, hard]) => percent(amount(status?.used?.[name]), amount(hard))))

const ruleWords = (rules: readonly PolicyRule[] | undefined) =>
  (rules ?? []).flatMap((rule) => [...rule.verbs, ...(rule.resources ?? []), ...(rule.apiGroups ?? []), ...(rule.nonResourceURLs ?? [])])
const notBuiltIn = ({ metadata }: KubeObject) => metadata.labels?.['kubernetes.io/bootstrapping'] === undefined
const role = <T extends Role | ClusterRole>(chips: ListFacts<T>['chips'] = {}) =>
  facts<T>({
    keys: { count: ({ rules }) => -(rules?.length ?? 0) },
    chips: { own: notBuiltIn, ...chips },
    words: ({ rules }) => ruleWords(rules),
  })
const binding = <T extends RoleBinding | ClusterRoleBinding>() =>
  facts<T>({
    keys: { role: ({ roleRef }) => roleRef.name },
    chips: { own: notBuiltIn },
    groups: { role: ({ roleRef }) => roleRef.name },
    words: ({ roleRef, subjects }) => [roleRef.name, ...(subjects ?? []).flatMap((s) => [s.kind, s.namespace, s.name])],
  })

/** When an event was last seen, in milliseconds. */
export const lastSeen = (e: Event): number =>
  Date.parse(e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp)
const events = facts<Event>({
  keys: {
    last: (e) => -lastSeen(e),
    reason: (e) => e.reason ?? '',
    object: (e) => `${e.involvedObject.kind}/${e.involvedObject.name}`,
    count: (e) => -(e.series?.count ?? e.count ?? 1),
  },
  chips: { warnings: (e) => e.type !== undefined && e.type !== 'Normal' },
  groups: { reason: (e) => e.reason ?? '', object: (e) => `${e.involvedObject.kind} ${e.involvedObject.name ?? ''}` },
  words: (e) => [e.reason, e.message, e.involvedObject.kind, e.involvedObject.name, e.reportingComponent, e.source?.component],
})

/** Without the schemas, which are most of a definition. */
const slimDefinition = (d: CustomResourceDefinition): CustomResourceDefinition => ({
  ...slim(d),
  spec: { ...d.spec, versions: d.spec.versions.map(({ schema: _schema, ...version }) => version) },
})

type Facts = readonly [group: string, resource: string, facts: ListFacts<never>]
const ALL: readonly Facts[] = [
  ['', 'pods', POD_FACTS],
  [
    'apps',
    'deployments',
    workload<Deployment>(deploymentProgress, {
      chips: { rolling: (d) => deploymentProgress(d).tone === 'busy', paused: (d) => d.spec.paused === true },
    }),
  ],
  ['apps', 'replicasets', workload<ReplicaSet>(replicaSetProgress, { chips: { current: (s) => (s.spec.replicas ?? 1) > 0 } })],
  ['apps', 'daemonsets', workload<DaemonSet>(daemonSetProgress)],
  ['apps', 'statefulsets', workload<StatefulSet>(statefulSetProgress)],
  ['batch', 'jobs', jobs],
  ['batch', 'cronjobs', cronJobs],
  [
    '',
    'services',
    facts<Service>({
      keys: { type: (s) => s.spec.type ?? '', ip: (s) => s.spec.clusterIP ?? '' },
      groups: { type: (s) => s.spec.type ?? '' },
      words: ({ spec }) => [
        spec.type,
        spec.clusterIP,
        ...(spec.ports ?? []).map((p) => String(p.port)),
        ...Object.values(spec.selector ?? {}),
      ],
    }),
  ],
  [
    'networking.k8s.io',
    'ingresses',
    facts<Ingress>({
      keys: { class: (i) => i.spec.ingressClassName ?? '', hosts },
      groups: { class: (i) => i.spec.ingressClassName ?? '' },
      words: (i) => [hosts(i), i.spec.ingressClassName],
    }),
  ],
  [
    'networking.k8s.io',
    'networkpolicies',
    facts<NetworkPolicy>({ words: ({ spec }) => Object.values(spec.podSelector?.matchLabels ?? {}) }),
  ],
  [
    'discovery.k8s.io',
    'endpointslices',
    facts<EndpointSlice>({
      groups: { service: (s) => s.metadata.labels?.['kubernetes.io/service-name'] ?? '' },
      words: (s) => (s.endpoints ?? []).flatMap((e) => [...e.addresses, e.targetRef?.name]),
    }),
  ],
  [
    '',
    'configmaps',
    facts<ConfigMap>({
      keys: { size: (c) => -totalSize(c) },
      words: (c) => Object.keys(dataSizes(c)),
      slim: slimData,
    }),
  ],
  [
    '',
    'secrets',
    facts<Secret>({
      keys: { type: (s) => s.type ?? '' },
      groups: { type: (s) => s.type ?? '' },
      words: (s) => [s.type, ...Object.keys(dataSizes(s))],
      slim: slimData,
    }),
  ],
  [
    'autoscaling',
    'horizontalpodautoscalers',
    facts<HorizontalPodAutoscaler>({
      words: ({ spec }) => [spec.scaleTargetRef.kind, spec.scaleTargetRef.name],
      keys: { target: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}` },
    }),
  ],
  ['policy', 'poddisruptionbudgets', facts<PodDisruptionBudget>({ keys: { allowed: ({ status }) => status?.disruptionsAllowed ?? 0 } })],
  ['', 'resourcequotas', facts<ResourceQuota>({ keys: { tightest: (q) => -tightest(q) } })],
  [
    '',
    'persistentvolumeclaims',
    facts<PersistentVolumeClaim>({
      keys: {
        status: ({ status }) => status.phase ?? '',
        size: (c) => -claimSize(c),
        class: ({ spec }) => spec.storageClassName ?? '',
        volume: ({ spec }) => spec.volumeName ?? '',
      },
      chips: { waiting: ({ status }) => status.phase !== 'Bound' },
      groups: { class: ({ spec }) => spec.storageClassName ?? '', status: ({ status }) => status.phase ?? '' },
      words: ({ spec, status }) => [spec.volumeName, spec.storageClassName, status.phase],
    }),
  ],
  [
    '',
    'persistentvolumes',
    facts<PersistentVolume>({
      keys: {
        status: ({ status }) => status.phase ?? '',
        size: ({ spec }) => -amount(spec.capacity?.['storage']),
        class: ({ spec }) => spec.storageClassName ?? '',
        claim: ({ spec }) => `${spec.claimRef?.namespace ?? ''}/${spec.claimRef?.name ?? ''}`,
      },
      chips: { released: ({ status }) => status.phase === 'Released' },
      groups: { class: ({ spec }) => spec.storageClassName ?? '', status: ({ status }) => status.phase ?? '' },
      words: ({ spec, status }) => [spec.claimRef?.namespace, spec.claimRef?.name, spec.storageClassName, status.phase],
    }),
  ],
  [
    'storage.k8s.io',
    'storageclasses',
    facts<StorageClass>({ keys: { provisioner: (c) => c.provisioner }, words: (c) => [c.provisioner, c.reclaimPolicy] }),
  ],
  ['rbac.authorization.k8s.io', 'roles', role<Role>()],
  ['rbac.authorization.k8s.io', 'clusterroles', role<ClusterRole>({ aggregated: (r) => r.aggregationRule !== undefined })],
  ['rbac.authorization.k8s.io', 'rolebindings', binding<RoleBinding>()],
  ['rbac.authorization.k8s.io', 'clusterrolebindings', binding<ClusterRoleBinding>()],
  ['', 'namespaces', facts<Namespace>({ keys: { status: (n) => n.status?.phase ?? 'Active' } })],
  [
    '',
    'nodes',
    facts<Node>({
      keys: {
        status: (n) => `${TONE_RANK[nodeState(n).tone]}${nodeState(n).word}`,
        cpu: (n) => -amount(n.status.allocatable?.['cpu']),
        memory: (n) => -amount(n.status.allocatable?.['memory']),
        version: (n) => n.status.nodeInfo?.kubeletVersion ?? '',
      },
      groups: { status: (n) => nodeState(n).word },
      words: (n) => [nodeState(n).word, ...(n.status.addresses ?? []).map((a) => a.address), n.status.nodeInfo?.kubeletVersion],
    }),
  ],
  [
    'apiextensions.k8s.io',
    'customresourcedefinitions',
    facts<CustomResourceDefinition>({
      keys: { kind: ({ spec }) => spec.names.kind, group: ({ spec }) => spec.group },
      groups: { group: ({ spec }) => spec.group },
      words: ({ spec }) => [spec.group, spec.names.kind, spec.scope],
      slim: slimDefinition,
    }),
  ],
  ['', 'events', events],
]

const BY_NAME = new Map(ALL.map(([group, resource, own]) => [`${group}/${resource}`, own as unknown as ListFacts]))

/** Undefined for a kind that the UI has no list of its own for. */
export const listFacts = (group: string, resource: string): ListFacts | undefined => BY_NAME.get(`${group}/${resource}`)
