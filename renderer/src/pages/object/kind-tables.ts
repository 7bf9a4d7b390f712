/** What matters in an object of a kind, as tables: rules, ports, limits, conditions of use. For kinds without a page of more than that. */
import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../../../electron/api/admissionregistration/v1/types.gen.ts'
import type { CustomResourceDefinition } from '../../../../electron/api/apiextensions/v1/types.gen.ts'
import type { HorizontalPodAutoscaler } from '../../../../electron/api/autoscaling/v2/types.gen.ts'
import type { CertificateSigningRequest } from '../../../../electron/api/certificates/v1/types.gen.ts'
import type { Lease } from '../../../../electron/api/coordination/v1/types.gen.ts'
import type { LimitRange, PersistentVolumeClaim, ResourceQuota } from '../../../../electron/api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../../../electron/api/discovery/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import type { Ingress, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../../../electron/api/networking/v1/types.gen.ts'
import type { RuntimeClass } from '../../../../electron/api/node/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../../../electron/api/policy/v1/types.gen.ts'
import type { ClusterRole, Role, RoleBinding } from '../../../../electron/api/rbac/v1/types.gen.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../../../../electron/api/resource/v1/types.gen.ts'
import type { PriorityClass } from '../../../../electron/api/scheduling/v1/types.gen.ts'
import type { StorageClass } from '../../../../electron/api/storage/v1/types.gen.ts'
import { t, type PlainKey } from '../../i18n/index.ts'
import { CLAIMS, CLUSTER_ROLES, PODS, ROLES, SECRETS, SERVICE_ACCOUNTS, SERVICES, STORAGE_CLASSES, VOLUMES } from '../../kube/resources.ts'
import { amount, percent } from '../../kube/quantity.ts'
import { linkTo } from '../../router/links.ts'
import { pairs } from '../lists/columns.ts'
import { text, type Cell } from '../lists/list-def.ts'

export interface KindTable {
  readonly title: PlainKey
  readonly columns: readonly PlainKey[]
  readonly rows: readonly (readonly Cell[])[]
}

const words = (list: readonly string[] | undefined, empty = '') =>
  text((list ?? []).map((word) => (word === '' ? '""' : word)).join(', ') || empty)
const mono = (value: string | number | undefined | null) => text(value, { mono: true })
const yes = (on: boolean | undefined) => text(t(on ? 'common.yes' : 'common.no'))
const link = (shown: string, to: Parameters<typeof linkTo>[0]): Cell => ({ type: 'link', text: shown, to: linkTo(to) })
/** Rows of a name and a value, without those that have none. */
const facts = (title: PlainKey, entries: readonly (readonly [PlainKey, Cell | undefined])[]): KindTable => ({
  title,
  columns: ['table.field', 'table.value'],
  rows: entries.flatMap(([name, cell]) => (cell && !('text' in cell && cell.text === '–') ? [[text(t(name)), cell]] : [])),
})

const role = ({ rules }: Role | ClusterRole): KindTable[] => [
  {
    title: 'column.allows',
    columns: ['form.verbs', 'form.resources', 'form.apiGroups', 'form.resourceNames'],
    rows: (rules ?? []).map((rule) => [
      words(rule.verbs),
      words([...(rule.resources ?? []), ...(rule.nonResourceURLs ?? [])]),
      words(rule.apiGroups),
      words(rule.resourceNames, t('table.all.names')),
    ]),
  },
]

const binding = ({ metadata, roleRef, subjects }: RoleBinding): KindTable[] => [
  facts('form.section.binding', [
    [
      'column.role',
      link(
        `${roleRef.kind} ${roleRef.name}`,
        roleRef.kind === 'ClusterRole'
          ? { resource: CLUSTER_ROLES, name: roleRef.name }
          : { resource: ROLES, namespace: metadata.namespace, name: roleRef.name },
      ),
    ],
  ]),
  {
    title: 'column.subjects',
    columns: ['column.kind', 'column.name', 'column.namespace'],
    rows: (subjects ?? []).map(({ kind, name, namespace }) => [
      text(kind),
      kind === 'ServiceAccount' ? link(name, { resource: SERVICE_ACCOUNTS, namespace, name }) : text(name),
      text(namespace),
    ]),
  },
]

const peer = ({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): string =>
  [
    ipBlock ? `${ipBlock.cidr}${ipBlock.except?.length ? ` (${t('table.except')} ${ipBlock.except.join(', ')})` : ''}` : '',
    namespaceSelector ? `${t('column.namespace')} ${pairs(namespaceSelector.matchLabels) || t('table.any')}` : '',
    podSelector ? `${t('kind.pod')} ${pairs(podSelector.matchLabels) || t('table.any')}` : '',
  ]
    .filter(Boolean)
    .join(', ')
const ports = (list: readonly NetworkPolicyPort[] | undefined): Cell =>
  mono((list ?? []).map((p) => `${p.port ?? '*'}${p.endPort ? `-${p.endPort}` : ''}/${p.protocol ?? 'TCP'}`).join(', ') || t('table.any'))
const networkPolicy = ({ spec }: NetworkPolicy): KindTable[] => [
  facts('form.section.about', [
    ['form.appliesTo', text(pairs(spec.podSelector?.matchLabels) || t('policy.allPods'))],
    ['form.directions', words(spec.policyTypes)],
  ]),
  {
    title: 'form.incoming',
    columns: ['form.from', 'form.ports'],
    rows: (spec.ingress ?? []).map((rule) => [text((rule.from ?? []).map(peer).join('; ') || t('table.any')), ports(rule.ports)]),
  },
  {
    title: 'form.outgoing',
    columns: ['form.to', 'form.ports'],
    rows: (spec.egress ?? []).map((rule) => [text((rule.to ?? []).map(peer).join('; ') || t('table.any')), ports(rule.ports)]),
  },
]

const ingress = ({ metadata, spec }: Ingress): KindTable[] => [
  {
    title: 'form.section.rules',
    columns: ['form.host', 'form.path', 'form.pathType', 'form.service', 'form.port'],
    rows: (spec.rules ?? []).flatMap((rule) =>
      (rule.http?.paths ?? []).map(({ path, pathType, backend }) => [
        text(rule.host || '*'),
        mono(path),
        text(pathType),
        backend.service
          ? link(backend.service.name, { resource: SERVICES, namespace: metadata.namespace, name: backend.service.name })
          : text(''),
        text(backend.service?.port?.number ?? backend.service?.port?.name),
      ]),
    ),
  },
  {
    title: 'form.tls',
    columns: ['form.hosts', 'form.tlsSecret'],
    rows: (spec.tls ?? []).map(({ hosts, secretName }) => [
      words(hosts),
      secretName ? link(secretName, { resource: SECRETS, namespace: metadata.namespace, name: secretName }) : text(''),
    ]),
  },
]

const quota = ({ spec, status }: ResourceQuota): KindTable[] => [
  {
    title: 'form.hard',
    columns: ['form.resource', 'column.used', 'form.max', 'column.status'],
    rows: Object.entries(status?.hard ?? spec?.hard ?? {}).map(([name, hard]) => {
      const share = percent(amount(status?.used?.[name]), amount(hard))
      const tone = share >= 100 ? 'err' : share >= 80 ? 'warn' : 'ok'
      return [mono(name), mono(status?.used?.[name] ?? '0'), mono(hard), { type: 'status', tone, word: t('common.percent', { n: share }) }]
    }),
  },
]
const limits = ({ spec }: LimitRange): KindTable[] => [
  {
    title: 'form.limits',
    columns: ['form.type', 'form.resource', 'form.min', 'form.max', 'form.defaultRequest', 'form.defaultLimit'],
    rows: (spec?.limits ?? []).flatMap((limit) =>
      [...new Set([limit.min, limit.max, limit.default, limit.defaultRequest].flatMap((each) => Object.keys(each ?? {})))].map((name) => [
        text(limit.type),
        mono(name),
        ...[limit.min, limit.max, limit.defaultRequest, limit.default].map((each) => mono(each?.[name])),
      ]),
    ),
  },
]

const webhooks = ({ webhooks }: ValidatingWebhookConfiguration | MutatingWebhookConfiguration): KindTable[] => [
  {
    title: 'table.webhooks',
    columns: ['column.name', 'table.called', 'table.where', 'table.failure', 'table.timeout'],
    rows: (webhooks ?? []).map(({ name, rules, clientConfig, failurePolicy, timeoutSeconds }) => [
      mono(name),
      text((rules ?? []).map((rule) => `${(rule.operations ?? []).join(', ')} ${(rule.resources ?? []).join(', ')}`).join('; ')),
      clientConfig.service
        ? link(`${clientConfig.service.namespace}/${clientConfig.service.name}`, {
            resource: SERVICES,
            namespace: clientConfig.service.namespace,
            name: clientConfig.service.name,
          })
        : mono(clientConfig.url),
      text(failurePolicy),
      text(timeoutSeconds),
    ]),
  },
]
const policy = ({ spec }: ValidatingAdmissionPolicy): KindTable[] => [
  facts('form.section.about', [
    ['table.failure', text(spec?.failurePolicy)],
    ['table.params', mono(spec?.paramKind && `${spec.paramKind.apiVersion} ${spec.paramKind.kind}`)],
  ]),
  {
    title: 'table.validations',
    columns: ['table.expression', 'column.message', 'column.reason'],
    rows: (spec?.validations ?? []).map((each) => [mono(each.expression), text(each.message ?? each.messageExpression), text(each.reason)]),
  },
]
const policyBinding = ({ spec }: ValidatingAdmissionPolicyBinding): KindTable[] => [
  facts('form.section.about', [
    ['table.policy', text(spec?.policyName)],
    ['table.actions', words(spec?.validationActions)],
    ['table.params', text(spec?.paramRef?.name)],
  ]),
]

const definition = ({ spec, status }: CustomResourceDefinition): KindTable[] => [
  facts('form.section.about', [
    ['column.group', mono(spec.group)],
    ['column.kind', text(spec.names.kind)],
    ['column.scope', text(spec.scope)],
    ['table.shortNames', words(spec.names.shortNames)],
  ]),
  {
    title: 'column.versions',
    columns: ['column.name', 'table.served', 'table.stored', 'table.columns'],
    rows: spec.versions.map((version) => [
      mono(version.name),
      yes(version.served),
      yes(version.storage || status?.storedVersions?.includes(version.name)),
      words((version.additionalPrinterColumns ?? []).map((column) => column.name)),
    ]),
  },
]

const autoscaler = ({ spec, status }: HorizontalPodAutoscaler): KindTable[] => [
  facts('form.section.scaling', [
    ['form.targetName', text(`${spec.scaleTargetRef.kind} ${spec.scaleTargetRef.name}`)],
    ['form.replicas', text(t('autoscaler.range', { n: status?.currentReplicas ?? 0, min: spec.minReplicas ?? 1, max: spec.maxReplicas }))],
    ['table.lastScaled', status?.lastScaleTime ? { type: 'age', time: status.lastScaleTime } : undefined],
  ]),
]
const budget = ({ spec, status }: PodDisruptionBudget): KindTable[] => [
  facts('column.healthy', [
    ['column.healthy', text(`${status?.currentHealthy ?? 0}/${status?.desiredHealthy ?? 0}`)],
    ['column.allowed', text(status?.disruptionsAllowed ?? 0)],
    ['form.minAvailable', text(spec.minAvailable)],
    ['form.maxUnavailable', text(spec.maxUnavailable)],
    ['column.selector', mono(pairs(spec.selector?.matchLabels))],
  ]),
]
const claim = ({ spec, status }: PersistentVolumeClaim): KindTable[] => [
  facts('form.section.storage', [
    ['column.status', text(status.phase)],
    ['form.size', text(status.capacity?.['storage'] ?? spec.resources.requests?.['storage'])],
    ['form.accessMode', words(spec.accessModes)],
    ['column.volume', spec.volumeName ? link(spec.volumeName, { resource: VOLUMES, name: spec.volumeName }) : undefined],
    [
      'form.storageClass',
      spec.storageClassName ? link(spec.storageClassName, { resource: STORAGE_CLASSES, name: spec.storageClassName }) : undefined,
    ],
  ]),
]
const storageClass = (c: StorageClass): KindTable[] => [
  facts('form.section.storage', [
    ['form.provisioner', mono(c.provisioner)],
    ['form.reclaim', text(c.reclaimPolicy)],
    ['form.binding', text(c.volumeBindingMode)],
    ['form.expansion', yes(c.allowVolumeExpansion)],
    ['form.parameters', mono(pairs(c.parameters))],
  ]),
]
const slice = ({ metadata, addressType, endpoints, ports: list }: EndpointSlice): KindTable[] => [
  {
    title: 'table.endpoints',
    columns: ['column.address', 'kind.pod', 'column.node', 'column.status'],
    rows: (endpoints ?? []).map(({ addresses, targetRef, nodeName, conditions }) => [
      mono(addresses.join(', ')),
      targetRef?.kind === 'Pod' && targetRef.name
        ? link(targetRef.name, { resource: PODS, namespace: metadata.namespace, name: targetRef.name })
        : text(targetRef?.name),
      text(nodeName),
      conditions?.ready === false
        ? { type: 'status', tone: 'warn', word: t('service.notReady') }
        : { type: 'status', tone: 'ok', word: t('workload.ready') },
    ]),
  },
  {
    title: 'form.ports',
    columns: ['column.name', 'form.port', 'form.protocol', 'form.type'],
    rows: (list ?? []).map((port) => [text(port.name), mono(port.port), text(port.protocol), text(addressType)]),
  },
]
const lease = ({ spec }: Lease): KindTable[] => [
  facts('table.lease', [
    ['table.holder', mono(spec?.holderIdentity)],
    ['table.renewed', spec?.renewTime ? { type: 'age', time: spec.renewTime } : undefined],
    ['table.acquired', spec?.acquireTime ? { type: 'age', time: spec.acquireTime } : undefined],
    ['table.leaseSeconds', text(spec?.leaseDurationSeconds)],
    ['table.transitions', text(spec?.leaseTransitions)],
  ]),
]
const priority = (p: PriorityClass): KindTable[] => [
  facts('form.priority', [
    ['form.priority', mono(p.value)],
    ['form.globalDefault', yes(p.globalDefault)],
    ['form.preemption', text(p.preemptionPolicy)],
    ['form.description', text(p.description)],
  ]),
]
const runtime = (r: RuntimeClass): KindTable[] => [
  facts('form.section.about', [
    ['table.handler', mono(r.handler)],
    ['form.nodeSelector', mono(pairs(r.scheduling?.nodeSelector))],
    ['table.overhead', mono(pairs(r.overhead?.podFixed))],
  ]),
]
const certificate = ({ spec, status }: CertificateSigningRequest): KindTable[] => [
  facts('table.request', [
    ['table.requester', mono(spec.username)],
    ['table.signer', mono(spec.signerName)],
    ['table.usages', words(spec.usages)],
    ['table.seconds', text(spec.expirationSeconds)],
    ['table.issued', yes(Boolean(status?.certificate))],
  ]),
]
const deviceClass = ({ spec }: DeviceClass): KindTable[] => [
  {
    title: 'table.selectors',
    columns: ['table.expression'],
    rows: (spec.selectors ?? []).map((selector) => [mono(selector.cel?.expression)]),
  },
]
const resourceSlice = ({ spec }: ResourceSlice): KindTable[] => [
  facts('form.section.about', [
    ['table.driver', mono(spec.driver)],
    ['table.pool', mono(spec.pool.name)],
    ['column.node', text(spec.nodeName)],
  ]),
  {
    title: 'table.devices',
    columns: ['column.name', 'table.attributes', 'table.capacity'],
    rows: (spec.devices ?? []).map((device) => [
      mono(device.name),
      mono(
        Object.entries(device.attributes ?? {})
          .map(([name, value]) => `${name}=${Object.values(value).join('')}`)
          .join(', '),
      ),
      mono(
        Object.entries(device.capacity ?? {})
          .map(([name, { value }]) => `${name}=${value}`)
          .join(', '),
      ),
    ]),
  },
]
const resourceClaim = ({ metadata, spec, status }: ResourceClaim): KindTable[] => [
  {
    title: 'table.requests',
    columns: ['column.name', 'table.deviceClass', 'table.allocated'],
    rows: (spec.devices?.requests ?? []).map(({ name, exactly }) => [
      mono(name),
      text(exactly?.deviceClassName),
      mono(
        (status?.allocation?.devices?.results ?? [])
          .filter((result) => result.request === name)
          .map((result) => `${result.pool}/${result.device}`)
          .join(', '),
      ),
    ]),
  },
  {
    title: 'secret.usedBy',
    columns: ['column.name'],
    rows: (status?.reservedFor ?? []).map(({ name }) => [link(name, { resource: PODS, namespace: metadata.namespace, name })]),
  },
]
const volume = (object: KubeObject): KindTable[] => {
  const { spec, status } = object as KubeObject & {
    readonly spec: {
      capacity?: Record<string, string>
      accessModes?: string[]
      persistentVolumeReclaimPolicy?: string
      claimRef?: { namespace?: string; name?: string }
    }
    readonly status?: { phase?: string }
  }
  return [
    facts('form.section.storage', [
      ['column.status', text(status?.phase)],
      ['form.size', text(spec.capacity?.['storage'])],
      ['form.accessMode', words(spec.accessModes)],
      ['form.reclaim', text(spec.persistentVolumeReclaimPolicy)],
      [
        'column.claim',
        spec.claimRef?.name
          ? link(`${spec.claimRef.namespace}/${spec.claimRef.name}`, {
              resource: CLAIMS,
              namespace: spec.claimRef.namespace,
              name: spec.claimRef.name,
            })
          : undefined,
      ],
    ]),
  ]
}

type Read = (object: never) => KindTable[]
const BY_KIND: Readonly<Record<string, Read>> = {
  'rbac.authorization.k8s.io/Role': role,
  'rbac.authorization.k8s.io/ClusterRole': role,
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'networking.k8s.io/Ingress': ingress,
  '/ResourceQuota': quota,
  '/LimitRange': limits,
  '/PersistentVolumeClaim': claim,
  '/PersistentVolume': volume,
  'storage.k8s.io/StorageClass': storageClass,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': policy,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBinding,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'policy/PodDisruptionBudget': budget,
  'discovery.k8s.io/EndpointSlice': slice,
  'coordination.k8s.io/Lease': lease,
  'scheduling.k8s.io/PriorityClass': priority,
  'node.k8s.io/RuntimeClass': runtime,
  'certificates.k8s.io/CertificateSigningRequest': certificate,
  'resource.k8s.io/DeviceClass': deviceClass,
  'resource.k8s.io/ResourceSlice': resourceSlice,
  'resource.k8s.io/ResourceClaim': resourceClaim,
}

/** Null for a kind whose parts are shown as they are. Tables without rows are left out. */
export function kindTables(object: KubeObject): readonly KindTable[] | null {
  const [group = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['']
  const read = BY_KIND[`${group}/${object.kind}`]
  return read ? read(object as never).filter((table) => table.rows.length > 0) : null
}
