/** A small valid object of each kind that one can be made of without knowing the cluster: what random changes start from. */
type Loose = Readonly<Record<string, unknown>>

const labels = { app: 'fuzz' }
const container = { name: 'app', image: 'registry.example/app:1' }
const podSpec = { containers: [container], terminationGracePeriodSeconds: 0 }
const template = { metadata: { labels }, spec: podSpec }
const selector = { matchLabels: labels }
const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'fz-role' }
const subject = { kind: 'User', name: 'fuzz', apiGroup: 'rbac.authorization.k8s.io' }
/** Matches no object, so that what is asked of it never holds up another request. */
const nothing = { matchLabels: { 'fuzz.example/never': 'x' } }
const hook = {
  name: 'never.fuzz.example',
  clientConfig: { url: 'https://127.0.0.1:1/never' },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  objectSelector: nothing,
  failurePolicy: 'Ignore',
  timeoutSeconds: 1,
}
const constraints = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  objectSelector: nothing,
}
const driver = 'fuzz.example'

/** By "resource.group". */
export const SAMPLES: Readonly<Record<string, Loose>> = {
  configmaps: { data: { a: '1' } },
  secrets: { data: { a: 'MQ==' } },
  serviceaccounts: {},
  pods: { metadata: { labels }, spec: podSpec },
  podtemplates: { template },
  services: { spec: { selector: labels, ports: [{ port: 80 }] } },
  endpoints: { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] },
  events: { involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' }, reason: 'Fuzzed', message: 'm', type: 'Normal' },
  'events.events.k8s.io': {
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'fuzz.example/c',
    reportingInstance: 'i',
    action: 'Act',
    reason: 'Fuzzed',
    type: 'Normal',
    regarding: { kind: 'Pod', name: 'a', namespace: 'default' },
  },
  limitranges: { spec: { limits: [{ type: 'Container', max: { cpu: '64' } }] } },
  resourcequotas: { spec: { hard: { 'count/roles.rbac.authorization.k8s.io': '100000' } } },
  replicationcontrollers: { spec: { replicas: 0, selector: labels, template } },
  persistentvolumeclaims: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  persistentvolumes: {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/fuzz' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  },
  namespaces: {},
  nodes: { spec: { unschedulable: true } },
  'deployments.apps': { spec: { replicas: 0, selector, template } },
  'replicasets.apps': { spec: { replicas: 0, selector, template } },
  'statefulsets.apps': { spec: { replicas: 0, serviceName: 's', selector, template } },
  'daemonsets.apps': { spec: { selector, template } },
  'controllerrevisions.apps': { revision: 1, data: { a: 1 } },
  'jobs.batch': { spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  'cronjobs.batch': {
    spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } } },
  },
  'horizontalpodautoscalers.autoscaling': {
    spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'fz-none' } },
  },
  'poddisruptionbudgets.policy': { spec: { minAvailable: 1, selector } },
  'networkpolicies.networking.k8s.io': { spec: { podSelector: {} } },
  'ingresses.networking.k8s.io': { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  'ingressclasses.networking.k8s.io': { spec: { controller: 'fuzz.example/c' } },
  'roles.rbac.authorization.k8s.io': { rules: [rule] },
  'rolebindings.rbac.authorization.k8s.io': { roleRef, subjects: [subject] },
  'clusterroles.rbac.authorization.k8s.io': { rules: [rule] },
  'clusterrolebindings.rbac.authorization.k8s.io': { roleRef: { ...roleRef, kind: 'ClusterRole' }, subjects: [subject] },
  'leases.coordination.k8s.io': { spec: { holderIdentity: 'a', leaseDurationSeconds: 5 } },
  'endpointslices.discovery.k8s.io': { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [{ port: 80 }] },
  'runtimeclasses.node.k8s.io': { handler: 'h' },
  'priorityclasses.scheduling.k8s.io': { value: 5 },
  'storageclasses.storage.k8s.io': { provisioner: driver },
  'csidrivers.storage.k8s.io': { spec: { attachRequired: false } },
  'csinodes.storage.k8s.io': { spec: { drivers: [{ name: driver, nodeID: 'n' }] } },
  'csistoragecapacities.storage.k8s.io': { storageClassName: 'local', capacity: '1Gi' },
  'volumeattachments.storage.k8s.io': { spec: { attacher: driver, nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  'volumeattributesclasses.storage.k8s.io': { driverName: driver, parameters: { a: 'b' } },
  'deviceclasses.resource.k8s.io': { spec: {} },
  'resourceclaims.resource.k8s.io': { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'c' } }] } } },
  'resourceclaimtemplates.resource.k8s.io': {
    spec: { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'c' } }] } } },
  },
  'resourceslices.resource.k8s.io': {
    spec: { driver, nodeName: 'n', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, devices: [{ name: 'd' }] },
  },
  'ipaddresses.networking.k8s.io': { spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'x' } } },
  'servicecidrs.networking.k8s.io': { spec: { cidrs: ['10.99.0.0/24'] } },
  'flowschemas.flowcontrol.apiserver.k8s.io': { spec: { priorityLevelConfiguration: { name: 'exempt' }, matchingPrecedence: 9000 } },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } },
  },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': { webhooks: [hook] },
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': { webhooks: [hook] },
  'validatingadmissionpolicies.admissionregistration.k8s.io': {
    spec: { matchConstraints: constraints, validations: [{ expression: 'object.metadata.name.size() > 0' }] },
  },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': { spec: { policyName: 'fz-none', validationActions: ['Deny'] } },
  'mutatingadmissionpolicies.admissionregistration.k8s.io': {
    spec: {
      matchConstraints: constraints,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
    },
  },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': { spec: { policyName: 'fz-none' } },
  'certificatesigningrequests.certificates.k8s.io': {
    spec: { signerName: 'fuzz.example/s', usages: ['client auth'], request: 'bm9uZQ==' },
  },
  'subjectaccessreviews.authorization.k8s.io': { spec: { user: 'fuzz', resourceAttributes: { verb: 'get', resource: 'pods' } } },
  'selfsubjectaccessreviews.authorization.k8s.io': { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  'localsubjectaccessreviews.authorization.k8s.io': { spec: { user: 'fuzz', resourceAttributes: { verb: 'get', resource: 'pods' } } },
  'selfsubjectrulesreviews.authorization.k8s.io': { spec: { namespace: 'default' } },
  'tokenreviews.authentication.k8s.io': { spec: { token: 'x' } },
  'selfsubjectreviews.authentication.k8s.io': {},
  'placementreviews.infra.flotilla.dev': { spec: { podName: 'fz-none' } },
}

/** Written with dryRun only: the whole cluster, or what lies outside of it, would follow. */
export const DRY_ONLY: ReadonlySet<string> = new Set([
  'apiservices.apiregistration.k8s.io',
  'machines.infra.flotilla.dev',
  'servicecidrs.networking.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
])

/** Kept to what they say in the sample where it decides whom they meet: made and deleted, and changed with dryRun only. */
export const GUARDED: ReadonlySet<string> = new Set(
  [
    'validatingwebhookconfigurations',
    'mutatingwebhookconfigurations',
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
    'mutatingadmissionpolicies',
    'mutatingadmissionpolicybindings',
  ].map((name) => `${name}.admissionregistration.k8s.io`),
)
