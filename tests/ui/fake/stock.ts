/** One or more of each kind that has a list of its own, beside what `harbor.ts` runs. */
import { horizontalPodAutoscaler } from '../../../electron/api/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { customResourceDefinition } from '../../../electron/api/apiextensions/v1/custom-resource-definition.ts'
import { statefulSet } from '../../../electron/api/apps/v1/stateful-set.ts'
import { cronJob } from '../../../electron/api/batch/v1/cron-job.ts'
import { job } from '../../../electron/api/batch/v1/job.ts'
import { persistentVolumeClaim } from '../../../electron/api/core/v1/persistent-volume-claim.ts'
import { persistentVolume } from '../../../electron/api/core/v1/persistent-volume.ts'
import { resourceQuota } from '../../../electron/api/core/v1/resource-quota.ts'
import { serviceAccount } from '../../../electron/api/core/v1/service-account.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { ingress } from '../../../electron/api/networking/v1/ingress.ts'
import { networkPolicy } from '../../../electron/api/networking/v1/network-policy.ts'
import { podDisruptionBudget } from '../../../electron/api/policy/v1/pod-disruption-budget.ts'
import { clusterRoleBinding } from '../../../electron/api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../../electron/api/rbac/v1/cluster-role.ts'
import { roleBinding } from '../../../electron/api/rbac/v1/role-binding.ts'
import { role } from '../../../electron/api/rbac/v1/role.ts'
import { storageClass } from '../../../electron/api/storage/v1/storage-class.ts'
import type { Client } from '../../../electron/client/client.ts'

const RBAC = 'rbac.authorization.k8s.io'
const podSpec = (image: string) => ({ containers: [{ name: 'main', image }], restartPolicy: 'Never' as const })
const ago = (ms: number) => `${new Date(Date.now() - ms).toISOString().slice(0, 19)}Z`
const MINUTE = 60_000

export async function makeStock(client: Client): Promise<void> {
  const shop = (name: string) => ({ name, namespace: 'shop' })
  /** What a controller would have written. */
  const told = async <T extends KubeObject>(kind: Kind<T>, draft: Draft<T>, status: Record<string, unknown>): Promise<T> => {
    const made = await client.create(kind, draft)
    return await client.update(kind, { ...made, status }, { subresource: 'status' })
  }

  const db = { app: 'ledger' }
  await told(
    statefulSet,
    {
      metadata: { name: 'ledger', namespace: 'data' },
      spec: {
        replicas: 3,
        serviceName: 'ledger',
        selector: { matchLabels: db },
        template: { metadata: { labels: db }, spec: { containers: [{ name: 'db', image: 'data/ledger:9' }] } },
      },
    },
    { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2, observedGeneration: 1 },
  )
  const nightly = await told(
    cronJob,
    {
      metadata: shop('nightly-report'),
      spec: { schedule: '15 3 * * *', timeZone: 'Europe/Lisbon', jobTemplate: { spec: { template: { spec: podSpec('shop/report:5') } } } },
    },
    { lastScheduleTime: ago(400 * MINUTE), lastSuccessfulTime: ago(392 * MINUTE) },
  )
  const ownerReferences = [
    { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly-report', uid: nightly.metadata.uid, controller: true as const },
  ]
  const [startTime, completionTime] = [ago(400 * MINUTE), ago(392 * MINUTE)]
  const complete = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: completionTime }))
  await told(
    job,
    { metadata: { ...shop('nightly-report-29384'), ownerReferences }, spec: { template: { spec: podSpec('shop/report:5') } } },
    { startTime, completionTime, succeeded: 1, conditions: complete },
  )
  await told(
    job,
    { metadata: shop('import-orders'), spec: { completions: 8, parallelism: 2, template: { spec: podSpec('shop/import:2') } } },
    { startTime: ago(7 * MINUTE), active: 2, ready: 2, succeeded: 3, failed: 1 },
  )

  await client.create(ingress, {
    metadata: shop('shop'),
    spec: {
      ingressClassName: 'harbor',
      tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }],
      rules: ['shop.example.com', 'api.example.com'].map((host, index) => ({
        host,
        http: {
          paths: [
            { path: '/', pathType: 'Prefix' as const, backend: { service: { name: ['web', 'api'][index] ?? '', port: { number: 80 } } } },
          ],
        },
      })),
    },
  })
  await client.create(networkPolicy, {
    metadata: shop('only-web-to-api'),
    spec: { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  })
  await told(
    horizontalPodAutoscaler,
    {
      metadata: shop('api'),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
        minReplicas: 2,
        maxReplicas: 12,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      },
    },
    {
      currentReplicas: 4,
      desiredReplicas: 4,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 54, averageValue: '216m' } } }],
      conditions: [{ type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' }],
    },
  )
  await told(
    podDisruptionBudget,
    // Of pods that this cluster does not have: nobody counts anew what may be taken away.
    { metadata: { name: 'ledger', namespace: 'data' }, spec: { minAvailable: 2, selector: { matchLabels: db } } },
    { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, observedGeneration: 1 },
  )
  await told(
    resourceQuota,
    { metadata: { name: 'lab', namespace: 'home' }, spec: { hard: { pods: '50', services: '10' } } },
    { hard: { pods: '50', services: '10' }, used: { pods: '46', services: '2' } },
  )

  await client.create(storageClass, {
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'infra.flotilla.dev/local',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  const claim = await told(
    persistentVolumeClaim,
    {
      metadata: { name: 'data-ledger-0', namespace: 'data' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        volumeName: 'pv-ledger-0',
        resources: { requests: { storage: '20Gi' } },
      },
    },
    { phase: 'Bound', capacity: { storage: '20Gi' }, accessModes: ['ReadWriteOnce'] },
  )
  await client.create(persistentVolumeClaim, {
    metadata: shop('uploads'),
    spec: { accessModes: ['ReadWriteMany'], storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } },
  })
  await told(
    persistentVolume,
    {
      metadata: { name: 'pv-ledger-0' },
      spec: {
        capacity: { storage: '20Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'fast',
        hostPath: { path: '/srv/ledger-0' },
        claimRef: { kind: 'PersistentVolumeClaim', namespace: 'data', name: 'data-ledger-0', uid: claim.metadata.uid },
      },
    },
    { phase: 'Bound' },
  )

  await client.create(serviceAccount, { metadata: shop('deployer'), imagePullSecrets: [{ name: 'registry' }] })
  const rules = [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'patch'] },
    { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] },
  ]
  await client.create(role, { metadata: shop('deployer'), rules })
  await client.create(clusterRole, { metadata: { name: 'log-reader' }, rules: [{ nonResourceURLs: ['/logs/*'], verbs: ['get'] }] })
  const subjects = [{ kind: 'ServiceAccount', namespace: 'shop', name: 'deployer' }]
  await client.create(roleBinding, { metadata: shop('deployer'), roleRef: { apiGroup: RBAC, kind: 'Role', name: 'deployer' }, subjects })
  await client.create(clusterRoleBinding, {
    metadata: { name: 'readers' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'log-reader' },
    subjects: [{ apiGroup: RBAC, kind: 'Group', name: 'readers' }],
  })
  await client.create(customResourceDefinition, {
    metadata: { name: 'berths.harbor.example.com' },
    spec: {
      group: 'harbor.example.com',
      scope: 'Namespaced',
      names: { plural: 'berths', singular: 'berth', kind: 'Berth', listKind: 'BerthList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })
}
