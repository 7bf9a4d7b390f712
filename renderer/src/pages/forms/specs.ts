/** The forms of the kinds that people make most. */
import type { Resource } from '../../kube/resources.ts'
import {
  AUTOSCALERS,
  CLAIMS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  INGRESSES,
  JOBS,
  LIMIT_RANGES,
  NAMESPACES,
  NETWORK_POLICIES,
  PODS,
  PRIORITY_CLASSES,
  QUOTAS,
  ROLE_BINDINGS,
  ROLES,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from '../../kube/resources.ts'
import type { Field, FormSection, FormSpec, Path } from './form-spec.ts'
import { container, podSections } from './pod-fields.ts'

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']

const labels: Field = { input: 'pairs', path: ['metadata', 'labels'], label: 'form.labels' }
const head = (namespaced = true, ...more: Field[]): FormSection => ({
  title: 'form.section.about',
  fields: [
    { input: 'text', path: ['metadata', 'name'], label: 'form.name', required: true, check: 'name' },
    ...(namespaced
      ? [{ input: 'namespace' as const, path: ['metadata', 'namespace'], label: 'form.namespace' as const, required: true }]
      : []),
    ...more,
    labels,
  ],
})
const replicas: Field = { input: 'number', path: ['spec', 'replicas'], label: 'form.replicas', min: 0, max: 100_000 }
const TEMPLATE: Path = ['spec', 'template', 'spec']
const app = { app: 'web' }
/** Selector and labels of the template are two places for one thing. */
const selector: FormSection = {
  title: 'form.section.selector',
  fields: [
    { input: 'pairs', path: ['spec', 'selector', 'matchLabels'], label: 'form.selector', required: true, help: 'form.selectorHelp' },
    { input: 'pairs', path: ['spec', 'template', 'metadata', 'labels'], label: 'form.templateLabels', required: true },
  ],
}
const template = { selector: { matchLabels: app }, template: { metadata: { labels: app }, spec: container() } }

const claimFields = (spec: Path): Field[] => [
  {
    input: 'text',
    path: [...spec, 'resources', 'requests', 'storage'],
    label: 'form.size',
    required: true,
    check: 'quantity',
    placeholder: '10Gi',
  },
  { input: 'select', path: [...spec, 'accessModes', 0], label: 'form.accessMode', options: MODES },
  { input: 'text', path: [...spec, 'storageClassName'], label: 'form.storageClass', check: 'name', help: 'form.storageClassHelp' },
]

const rules: Field = {
  ...{ input: 'many', path: ['rules'], label: 'form.rules', add: 'form.addRule' },
  make: { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  of: [
    { input: 'words', path: ['verbs'], label: 'form.verbs', required: true, placeholder: 'get, list, watch' },
    { input: 'words', path: ['resources'], label: 'form.resources', placeholder: 'pods, pods/log' },
    { input: 'words', path: ['apiGroups'], label: 'form.apiGroups', help: 'form.apiGroupsHelp' },
    { input: 'words', path: ['resourceNames'], label: 'form.resourceNames' },
  ],
}
const bindingSections = (role: readonly string[]): FormSection => ({
  title: 'form.section.binding',
  fields: [
    { input: 'select', path: ['roleRef', 'kind'], label: 'form.roleKind', options: role },
    { input: 'text', path: ['roleRef', 'name'], label: 'form.role', required: true },
    {
      ...{ input: 'many', path: ['subjects'], label: 'form.subjects', add: 'form.addSubject', required: true },
      make: { kind: 'ServiceAccount', name: '', namespace: 'default' },
      of: [
        { input: 'select', path: ['kind'], label: 'form.subjectKind', options: ['ServiceAccount', 'User', 'Group'] },
        { input: 'text', path: ['name'], label: 'form.name', required: true },
        { input: 'text', path: ['namespace'], label: 'form.namespace', when: { path: ['kind'], is: ['ServiceAccount'] } },
        {
          input: 'select',
          path: ['apiGroup'],
          label: 'form.apiGroup',
          options: ['rbac.authorization.k8s.io'],
          when: { path: ['kind'], is: ['User', 'Group'] },
        },
      ],
    },
  ],
})

const peers = (path: 'from' | 'to'): Field => ({
  ...{ input: 'many', path: [path], label: path === 'from' ? 'form.from' : 'form.to', add: 'form.addPeer', help: 'form.peersHelp' },
  make: { podSelector: {} },
  of: [
    { input: 'pairs', path: ['podSelector', 'matchLabels'], label: 'form.podLabels' },
    { input: 'pairs', path: ['namespaceSelector', 'matchLabels'], label: 'form.namespaceLabels' },
    { input: 'text', path: ['ipBlock', 'cidr'], label: 'form.cidr', mono: true, placeholder: '10.0.0.0/8' },
  ],
})
const policyPorts: Field = {
  ...{ input: 'many', path: ['ports'], label: 'form.ports', add: 'form.addPort', make: { port: 80, protocol: 'TCP' } },
  of: [
    { input: 'number', path: ['port'], label: 'form.port', min: 1, max: 65_535 },
    { input: 'select', path: ['protocol'], label: 'form.protocol', options: PROTOCOLS },
  ],
}

export const FORMS: readonly FormSpec[] = [
  {
    resource: DEPLOYMENTS,
    start: { spec: { replicas: 1, ...template } },
    sections: [
      head(true, replicas),
      ...podSections(TEMPLATE, ['Always']),
      {
        title: 'form.section.rollout',
        fields: [
          { input: 'select', path: ['spec', 'strategy', 'type'], label: 'form.strategy', options: ['RollingUpdate', 'Recreate'] },
          {
            input: 'number',
            path: ['spec', 'strategy', 'rollingUpdate', 'maxSurge'],
            label: 'form.maxSurge',
            orPercent: true,
            when: { path: ['spec', 'strategy', 'type'], is: ['', 'RollingUpdate'] },
          },
          {
            input: 'number',
            path: ['spec', 'strategy', 'rollingUpdate', 'maxUnavailable'],
            label: 'form.maxUnavailable',
            orPercent: true,
            when: { path: ['spec', 'strategy', 'type'], is: ['', 'RollingUpdate'] },
          },
        ],
      },
      selector,
    ],
  },
  {
    resource: STATEFUL_SETS,
    start: { spec: { replicas: 1, serviceName: '', ...template } },
    sections: [
      head(true, replicas, { input: 'text', path: ['spec', 'serviceName'], label: 'form.serviceName', check: 'name' }),
      ...podSections(TEMPLATE, ['Always']),
      {
        title: 'form.section.storage',
        fields: [
          {
            ...{ input: 'many', path: ['spec', 'volumeClaimTemplates'], label: 'form.claimTemplates', add: 'form.addClaim' },
            make: { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
            of: [
              { input: 'text', path: ['metadata', 'name'], label: 'form.name', required: true, check: 'name' },
              ...claimFields(['spec']),
            ],
          },
        ],
      },
      selector,
    ],
  },
  { resource: DAEMON_SETS, start: { spec: template }, sections: [head(), ...podSections(TEMPLATE, ['Always']), selector] },
  {
    resource: JOBS,
    start: { spec: { template: { spec: { ...container(), restartPolicy: 'Never' } } } },
    sections: [
      head(
        true,
        { input: 'number', path: ['spec', 'completions'], label: 'form.completions', min: 1 },
        { input: 'number', path: ['spec', 'parallelism'], label: 'form.parallelism', min: 0 },
        { input: 'number', path: ['spec', 'backoffLimit'], label: 'form.backoffLimit', min: 0 },
        { input: 'number', path: ['spec', 'ttlSecondsAfterFinished'], label: 'form.ttl', min: 0 },
      ),
      ...podSections(TEMPLATE, ['Never', 'OnFailure']),
    ],
  },
  {
    resource: CRON_JOBS,
    start: {
      spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec: { ...container(), restartPolicy: 'OnFailure' } } } } },
    },
    sections: [
      head(
        true,
        {
          input: 'text',
          path: ['spec', 'schedule'],
          label: 'form.schedule',
          required: true,
          check: 'cron',
          mono: true,
          help: 'form.scheduleHelp',
        },
        { input: 'text', path: ['spec', 'timeZone'], label: 'form.timeZone', placeholder: 'Europe/Berlin' },
        { input: 'select', path: ['spec', 'concurrencyPolicy'], label: 'form.concurrency', options: ['Allow', 'Forbid', 'Replace'] },
        { input: 'switch', path: ['spec', 'suspend'], label: 'form.suspended' },
      ),
      ...podSections(['spec', 'jobTemplate', 'spec', 'template', 'spec'], ['OnFailure', 'Never']),
    ],
  },
  { resource: PODS, start: { spec: container() }, sections: [head(), ...podSections(['spec'], ['Always', 'OnFailure', 'Never'])] },
  {
    resource: SERVICES,
    start: { spec: { selector: app, ports: [{ port: 80, targetPort: 80 }] } },
    sections: [
      head(true, {
        input: 'select',
        path: ['spec', 'type'],
        label: 'form.type',
        options: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
      }),
      {
        title: 'form.section.traffic',
        fields: [
          {
            input: 'text',
            path: ['spec', 'externalName'],
            label: 'form.externalName',
            when: { path: ['spec', 'type'], is: ['ExternalName'] },
          },
          { input: 'pairs', path: ['spec', 'selector'], label: 'form.selector', help: 'form.serviceSelectorHelp' },
          {
            ...{ input: 'many', path: ['spec', 'ports'], label: 'form.ports', add: 'form.addPort', make: { port: 80 } },
            of: [
              { input: 'number', path: ['port'], label: 'form.port', required: true, min: 1, max: 65_535 },
              { input: 'number', path: ['targetPort'], label: 'form.targetPort', min: 1, max: 65_535 },
              { input: 'text', path: ['name'], label: 'form.portName', check: 'name' },
              { input: 'select', path: ['protocol'], label: 'form.protocol', options: PROTOCOLS },
            ],
          },
        ],
      },
    ],
  },
  {
    resource: INGRESSES,
    start: {
      spec: {
        rules: [
          { host: '', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: '', port: { number: 80 } } } }] } },
        ],
      },
    },
    sections: [
      head(true, { input: 'text', path: ['spec', 'ingressClassName'], label: 'form.ingressClass', check: 'name' }),
      {
        title: 'form.section.rules',
        fields: [
          {
            ...{ input: 'many', path: ['spec', 'rules'], label: 'form.hosts', add: 'form.addHost' },
            make: {
              host: '',
              http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: '', port: { number: 80 } } } }] },
            },
            of: [
              { input: 'text', path: ['host'], label: 'form.host', placeholder: 'shop.example.com' },
              {
                ...{ input: 'many', path: ['http', 'paths'], label: 'form.paths', add: 'form.addPath' },
                make: { path: '/', pathType: 'Prefix', backend: { service: { name: '', port: { number: 80 } } } },
                of: [
                  { input: 'text', path: ['path'], label: 'form.path', mono: true },
                  { input: 'select', path: ['pathType'], label: 'form.pathType', options: ['Prefix', 'Exact', 'ImplementationSpecific'] },
                  { input: 'text', path: ['backend', 'service', 'name'], label: 'form.service', required: true, check: 'name' },
                  { input: 'number', path: ['backend', 'service', 'port', 'number'], label: 'form.port', min: 1, max: 65_535 },
                ],
              },
            ],
          },
          {
            ...{ input: 'many', path: ['spec', 'tls'], label: 'form.tls', add: 'form.addTls', make: { hosts: [], secretName: '' } },
            of: [
              { input: 'words', path: ['hosts'], label: 'form.hosts' },
              { input: 'text', path: ['secretName'], label: 'form.tlsSecret', check: 'name' },
            ],
          },
        ],
      },
    ],
  },
  {
    resource: CONFIG_MAPS,
    start: { data: { 'key.txt': '' } },
    sections: [
      head(),
      {
        title: 'form.section.data',
        fields: [
          { input: 'pairs', path: ['data'], label: 'form.data', long: true },
          { input: 'switch', path: ['immutable'], label: 'form.immutable' },
        ],
      },
    ],
  },
  {
    resource: SECRETS,
    start: { type: 'Opaque' },
    sections: [
      head(true, {
        ...{ input: 'select', path: ['type'], label: 'form.type' },
        options: ['Opaque', 'kubernetes.io/dockerconfigjson', 'kubernetes.io/tls', 'kubernetes.io/basic-auth', 'kubernetes.io/ssh-auth'],
      }),
      {
        title: 'form.section.data',
        fields: [
          {
            input: 'registry',
            path: ['stringData', '.dockerconfigjson'],
            label: 'form.registry',
            required: true,
            when: { path: ['type'], is: ['kubernetes.io/dockerconfigjson'] },
          },
          {
            input: 'lines',
            path: ['stringData', 'tls.crt'],
            label: 'form.certificate',
            required: true,
            when: { path: ['type'], is: ['kubernetes.io/tls'] },
          },
          {
            input: 'lines',
            path: ['stringData', 'tls.key'],
            label: 'form.privateKey',
            required: true,
            when: { path: ['type'], is: ['kubernetes.io/tls'] },
          },
          {
            input: 'text',
            path: ['stringData', 'username'],
            label: 'form.user',
            required: true,
            when: { path: ['type'], is: ['kubernetes.io/basic-auth'] },
          },
          {
            input: 'text',
            path: ['stringData', 'password'],
            label: 'form.password',
            when: { path: ['type'], is: ['kubernetes.io/basic-auth'] },
          },
          {
            input: 'lines',
            path: ['stringData', 'ssh-privatekey'],
            label: 'form.privateKey',
            required: true,
            when: { path: ['type'], is: ['kubernetes.io/ssh-auth'] },
          },
          {
            input: 'pairs',
            path: ['stringData'],
            label: 'form.data',
            long: true,
            secret: true,
            help: 'form.secretHelp',
            when: { path: ['type'], is: ['', 'Opaque'] },
          },
        ],
      },
    ],
  },
  {
    resource: CLAIMS,
    start: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    sections: [head(true, ...claimFields(['spec']))],
  },
  { resource: NAMESPACES, start: {}, sections: [head(false)] },
  {
    resource: SERVICE_ACCOUNTS,
    start: {},
    sections: [
      head(
        true,
        { input: 'switch', path: ['automountServiceAccountToken'], label: 'form.automount' },
        {
          ...{ input: 'many', path: ['imagePullSecrets'], label: 'form.pullSecrets', add: 'form.addPullSecret', make: { name: '' } },
          of: [{ input: 'text', path: ['name'], label: 'form.name', required: true, check: 'name' }],
        },
      ),
    ],
  },
  {
    resource: ROLES,
    start: { rules: [rules.input === 'many' ? rules.make : {}] },
    sections: [head(), { title: 'form.section.rules', fields: [rules] }],
  },
  {
    resource: CLUSTER_ROLES,
    start: { rules: [rules.input === 'many' ? rules.make : {}] },
    sections: [head(false), { title: 'form.section.rules', fields: [rules] }],
  },
  {
    resource: ROLE_BINDINGS,
    start: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    },
    sections: [head(), bindingSections(['ClusterRole', 'Role'])],
  },
  {
    resource: CLUSTER_ROLE_BINDINGS,
    start: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    },
    sections: [head(false), bindingSections(['ClusterRole'])],
  },
  {
    resource: AUTOSCALERS,
    start: {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: '' },
        ...{ minReplicas: 1, maxReplicas: 5 },
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      },
    },
    sections: [
      head(),
      {
        title: 'form.section.scaling',
        fields: [
          {
            input: 'select',
            path: ['spec', 'scaleTargetRef', 'kind'],
            label: 'form.targetKind',
            options: ['Deployment', 'StatefulSet', 'ReplicaSet'],
          },
          { input: 'text', path: ['spec', 'scaleTargetRef', 'name'], label: 'form.targetName', required: true, check: 'name' },
          { input: 'number', path: ['spec', 'minReplicas'], label: 'form.minReplicas', min: 1 },
          { input: 'number', path: ['spec', 'maxReplicas'], label: 'form.maxReplicas', min: 1, required: true },
          {
            ...{ input: 'many', path: ['spec', 'metrics'], label: 'form.metrics', add: 'form.addMetric' },
            make: { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } } },
            of: [
              { input: 'select', path: ['resource', 'name'], label: 'form.resource', options: ['cpu', 'memory'] },
              { input: 'number', path: ['resource', 'target', 'averageUtilization'], label: 'form.utilization', min: 1, max: 1000 },
            ],
          },
        ],
      },
    ],
  },
  {
    resource: DISRUPTION_BUDGETS,
    start: { spec: { maxUnavailable: 1, selector: { matchLabels: app } } },
    sections: [
      head(
        true,
        { input: 'number', path: ['spec', 'maxUnavailable'], label: 'form.maxUnavailable', orPercent: true, help: 'form.budgetHelp' },
        { input: 'number', path: ['spec', 'minAvailable'], label: 'form.minAvailable', orPercent: true },
        { input: 'pairs', path: ['spec', 'selector', 'matchLabels'], label: 'form.selector', required: true },
      ),
    ],
  },
  {
    resource: NETWORK_POLICIES,
    start: { spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] } },
    sections: [
      head(
        true,
        { input: 'pairs', path: ['spec', 'podSelector', 'matchLabels'], label: 'form.appliesTo', help: 'form.appliesToHelp' },
        { input: 'words', path: ['spec', 'policyTypes'], label: 'form.directions', placeholder: 'Ingress, Egress' },
      ),
      {
        title: 'form.section.traffic',
        fields: [
          {
            input: 'many',
            path: ['spec', 'ingress'],
            label: 'form.incoming',
            add: 'form.addRule',
            make: { from: [{ podSelector: {} }] },
            of: [peers('from'), policyPorts],
          },
          {
            input: 'many',
            path: ['spec', 'egress'],
            label: 'form.outgoing',
            add: 'form.addRule',
            make: { to: [{ podSelector: {} }] },
            of: [peers('to'), policyPorts],
          },
        ],
      },
    ],
  },
  {
    resource: QUOTAS,
    start: { spec: { hard: { 'requests.cpu': '4', 'requests.memory': '8Gi', pods: '50' } } },
    sections: [head(true, { input: 'pairs', path: ['spec', 'hard'], label: 'form.hard', required: true, help: 'form.hardHelp' })],
  },
  {
    resource: LIMIT_RANGES,
    start: { spec: { limits: [{ type: 'Container', default: { memory: '256Mi' }, defaultRequest: { memory: '128Mi' } }] } },
    sections: [
      head(),
      {
        title: 'form.section.limits',
        fields: [
          {
            ...{ input: 'many', path: ['spec', 'limits'], label: 'form.limits', add: 'form.addLimit', make: { type: 'Container' } },
            of: [
              { input: 'select', path: ['type'], label: 'form.type', options: ['Container', 'Pod', 'PersistentVolumeClaim'] },
              { input: 'pairs', path: ['default'], label: 'form.defaultLimit', when: { path: ['type'], is: ['Container'] } },
              { input: 'pairs', path: ['defaultRequest'], label: 'form.defaultRequest', when: { path: ['type'], is: ['Container'] } },
              { input: 'pairs', path: ['min'], label: 'form.min' },
              { input: 'pairs', path: ['max'], label: 'form.max' },
            ],
          },
        ],
      },
    ],
  },
  {
    resource: PRIORITY_CLASSES,
    start: { value: 1000 },
    sections: [
      head(
        false,
        { input: 'number', path: ['value'], label: 'form.priority', required: true, min: -2_147_483_648, max: 1_000_000_000 },
        { input: 'switch', path: ['globalDefault'], label: 'form.globalDefault' },
        { input: 'select', path: ['preemptionPolicy'], label: 'form.preemption', options: ['PreemptLowerPriority', 'Never'] },
        { input: 'text', path: ['description'], label: 'form.description' },
      ),
    ],
  },
  {
    resource: STORAGE_CLASSES,
    start: { provisioner: 'infra.flotilla.dev/local', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer' },
    sections: [
      head(
        false,
        { input: 'text', path: ['provisioner'], label: 'form.provisioner', required: true, mono: true },
        { input: 'select', path: ['reclaimPolicy'], label: 'form.reclaim', options: ['Delete', 'Retain'] },
        { input: 'select', path: ['volumeBindingMode'], label: 'form.binding', options: ['WaitForFirstConsumer', 'Immediate'] },
        { input: 'switch', path: ['allowVolumeExpansion'], label: 'form.expansion' },
        { input: 'pairs', path: ['parameters'], label: 'form.parameters' },
      ),
    ],
  },
]

export const formOf = (group: string, resource: string): FormSpec | undefined =>
  FORMS.find((form) => form.resource.group === group && form.resource.resource === resource)

export const hasForm = (resource: Pick<Resource, 'group' | 'resource'>): boolean => formOf(resource.group, resource.resource) !== undefined
