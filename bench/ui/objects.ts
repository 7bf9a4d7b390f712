/** A cluster of many pods, written into the store before a plane opens it. */
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { paths } from '../../electron/plane/state-dir.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { Store } from '../../electron/store/store.ts'

const NODES = 500
const NAMESPACES = 20
const PODS_OF_A_SET = 100
const AT_ONCE = 500

export interface PodName {
  readonly namespace: string
  readonly name: string
}

type Owner = { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string }

/** Writes them and says which pods there are. `startedAt` in milliseconds since the epoch. */
export async function seed(stateDir: string, pods: number): Promise<PodName[]> {
  await using store = await createEmbeddedStore({ dir: paths(stateDir).store, clock: systemClock, logger: silentLogger })
  const time = new Date(Math.floor(systemClock.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  const names: PodName[] = []
  let waiting: Promise<unknown>[] = []
  const put = async (key: string, object: unknown) => {
    waiting.push(write(store, key, object))
    if (waiting.length < AT_ONCE) return
    await Promise.all(waiting)
    waiting = []
  }
  const meta = (name: string, namespace?: string, more: object = {}) => ({
    ...{ name, uid: randomUUID(), creationTimestamp: time, generation: 1 },
    ...(namespace ? { namespace } : {}),
    ...more,
  })
  for (let i = 0; i < NAMESPACES; i++)
    await put(`/registry/namespaces/team-${i}`, {
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: meta(`team-${i}`) },
      ...{ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
    })
  for (let i = 0; i < NODES; i++) await put(`/registry/nodes/node-${i}`, node(meta(`node-${i}`), time))
  for (let set = 0; set * PODS_OF_A_SET < pods; set++) {
    const namespace = `team-${set % NAMESPACES}`
    const app = `service-${set}`
    const labels = { app, 'pod-template-hash': '6d4cf56db6' }
    const template = { metadata: { labels }, spec: podSpec() }
    const deployment = meta(app, namespace, { annotations: { 'deployment.kubernetes.io/revision': '1' } })
    const replicas = PODS_OF_A_SET
    const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas, observedGeneration: 1 }
    await put(`/registry/apps/deployments/${namespace}/${app}`, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: deployment },
      spec: { replicas, selector: { matchLabels: { app } }, template: { metadata: { labels: { app } }, spec: podSpec() } },
      status: { ...counts, updatedReplicas: replicas },
    })
    const replicaSet = meta(`${app}-6d4cf56db6`, namespace, {
      labels,
      annotations: { 'deployment.kubernetes.io/revision': '1', 'deployment.kubernetes.io/desired-replicas': String(replicas) },
      ownerReferences: [owned({ apiVersion: 'apps/v1', kind: 'Deployment', name: app, uid: deployment.uid })],
    })
    await put(`/registry/apps/replicasets/${namespace}/${replicaSet.name}`, {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: replicaSet },
      ...{ spec: { replicas, selector: { matchLabels: labels }, template }, status: { ...counts, fullyLabeledReplicas: replicas } },
    })
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: replicaSet.name, uid: replicaSet.uid }
    for (let i = 0; i < PODS_OF_A_SET; i++) {
      const name = `${replicaSet.name}-${(set * PODS_OF_A_SET + i).toString(36).padStart(5, '0')}`
      names.push({ namespace, name })
      const metadata = meta(name, namespace, { labels, ownerReferences: [owned(owner)] })
      await put(`/registry/pods/${namespace}/${name}`, pod(metadata, names.length, time))
    }
  }
  await Promise.all(waiting)
  return names
}

const write = (store: Store, key: string, object: unknown) =>
  store.txn({ success: [{ type: 'put', key, value: Buffer.from(JSON.stringify(object)) }] })

const owned = (owner: Owner) => ({ ...owner, controller: true, blockOwnerDeletion: true })

const podSpec = () => ({
  containers: [
    {
      ...{ name: 'main', image: 'registry.example/team/service:1.2.3', imagePullPolicy: 'IfNotPresent' },
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      ports: [{ containerPort: 8080, protocol: 'TCP' }],
      env: [{ name: 'MODE', value: 'production' }],
      ...{ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
    },
  ],
  ...{ restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' },
  ...{ securityContext: {}, schedulerName: 'default-scheduler' },
})

function pod(metadata: object, n: number, time: string): object {
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: time })
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...podSpec(), nodeName: `node-${n % NODES}` } },
    status: {
      ...{ phase: 'Running', podIP: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, startTime: time, qosClass: 'Burstable' },
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      containerStatuses: [
        {
          ...{ name: 'main', ready: true, started: true, restartCount: 0, lastState: {}, state: { running: { startedAt: time } } },
          ...{ image: 'registry.example/team/service:1.2.3', imageID: 'sha256:0', containerID: `containerd://${n}` },
        },
      ],
    },
  }
}

function node(metadata: object, time: string): object {
  const amounts = { cpu: '64', memory: '256Gi', pods: '250' }
  return {
    ...{ apiVersion: 'v1', kind: 'Node', metadata, spec: {} },
    status: {
      ...{ capacity: amounts, allocatable: amounts, nodeInfo: { kubeletVersion: 'v1.36.0' } },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: time, lastTransitionTime: time }],
    },
  }
}
