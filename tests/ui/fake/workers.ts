/**
 * Stands for the controllers, the scheduler and the kubelets of a cluster: makes ReplicaSets and pods, places them where they fit, and
 * lets them run, or fail as their template's annotation `fake/fate` says ("oom*1" for the first pod, "missing" for all).
 */
import { createHash } from 'node:crypto'
import { systemClock } from '../../../electron/base/clock.ts'
import type { DaemonSet, Deployment, ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { Node, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { parseQuantity } from '../../../renderer/src/kube/quantity.ts'
import type { Client } from '../../../electron/client/client.ts'
import { DAEMON_SET, DEPLOYMENT, NODE, POD, REPLICA_SET } from './cluster.ts'
import { statusAfter, statusFor } from './fates.ts'
import { syncEndpoints } from './endpoints.ts'
import { tell } from './events.ts'
import { quietly } from './quietly.ts'

const TICK_MS = 60
const REVISION = 'deployment.kubernetes.io/revision'
const PAUSE = 250

export interface Workers extends Disposable {
  /** Does nothing until it is set false again: what is asked for stays undone. */
  frozen: boolean
}

export function startWorkers(client: Client): Workers {
  let running = false
  const self = { frozen: false, [Symbol.dispose]: () => timer[Symbol.dispose]() }
  const timer = systemClock.setInterval(() => {
    if (running || self.frozen) return
    running = true
    void work(client).finally(() => (running = false))
  }, TICK_MS)
  return self
}

const owned = (object: KubeObject, by: KubeObject) => object.metadata.ownerReferences?.some((o) => o.uid === by.metadata.uid) === true
const owner = (object: KubeObject) => [
  {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    uid: object.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  },
]
const items = async <T extends KubeObject>(client: Client, kind: Kind<T>) => (await client.list(kind)).items

async function work(client: Client): Promise<void> {
  const [deployments, sets, daemons, nodes, pods] = await Promise.all([
    items(client, DEPLOYMENT),
    items(client, REPLICA_SET),
    items(client, DAEMON_SET),
    items(client, NODE),
    items(client, POD),
  ])
  await syncEndpoints(client, pods)
  const alive = [...deployments, ...sets, ...daemons]
  for (const orphan of [...sets, ...pods]) {
    const refs = orphan.metadata.ownerReferences ?? []
    if (refs.length && refs.every((ref) => !alive.some((object) => object.metadata.uid === ref.uid)) && !orphan.metadata.deletionTimestamp)
      await quietly(() =>
        orphan.kind === 'Pod' ? client.delete(POD, { ...orphan.metadata }) : client.delete(REPLICA_SET, { ...orphan.metadata }),
      )
  }
  for (const deployment of deployments)
    await syncDeployment(
      client,
      deployment,
      sets.filter((set) => owned(set, deployment)),
    )
  for (const set of sets)
    await syncSet(
      client,
      set,
      pods.filter((pod) => owned(pod, set)),
    )
  for (const daemon of daemons)
    await syncDaemon(
      client,
      daemon,
      nodes,
      pods.filter((pod) => owned(pod, daemon)),
    )
  for (const pod of pods) await syncPod(client, pod, nodes, pods)
}

const hashOf = (template: unknown) => {
  const hex = createHash('sha256')
    .update(JSON.stringify(sorted(template)))
    .digest('hex')
  return hex.slice(0, 10).replaceAll(/./g, (c) => 'bcdfghjklmnpqrst'[Number.parseInt(c, 16)] ?? '')
}

async function syncDeployment(client: Client, deployment: Deployment, sets: readonly ReplicaSet[]): Promise<void> {
  const { name, namespace } = deployment.metadata
  const hash = hashOf(deployment.spec.template)
  const wanted = deployment.spec.replicas ?? 1
  const newest = sets.find((set) => set.metadata.labels?.['pod-template-hash'] === hash)
  const revisions = sets.map((set) => Number(set.metadata.annotations?.[REVISION] ?? 0))
  const last = Math.max(0, ...revisions)
  if (deployment.metadata.deletionTimestamp) return
  if (!newest && !deployment.spec.paused) {
    const { template } = deployment.spec
    const labels = { ...template.metadata.labels, 'pod-template-hash': hash }
    await quietly(() =>
      client.create(REPLICA_SET, {
        metadata: {
          name: `${name}-${hash}`,
          namespace: namespace ?? '',
          labels,
          annotations: { [REVISION]: String(last + 1) },
          ownerReferences: owner(deployment),
        },
        spec: {
          replicas: sets.length ? 0 : wanted,
          selector: { matchLabels: labels },
          template: { ...template, metadata: { ...template.metadata, labels } },
        },
      }),
    )
    return
  }
  const current = newest ?? sets.find((set) => Number(set.metadata.annotations?.[REVISION]) === last)
  if (!current) return
  const revision =
    current === newest && Number(current.metadata.annotations?.[REVISION]) < last
      ? last + 1
      : Number(current.metadata.annotations?.[REVISION])
  // One step of the rollout each round: first the new one grows, then the old ones shrink by as many as are ready.
  const others = sets.filter((set) => set !== current && (set.spec.replicas ?? 0) > 0)
  const grown = current.spec.replicas ?? 0
  const ready = current.status.readyReplicas ?? 0
  const next = Math.min(wanted, others.length ? ready + 1 : wanted)
  if (next !== grown || revision !== Number(current.metadata.annotations?.[REVISION]))
    await quietly(() =>
      client.update(REPLICA_SET, {
        ...current,
        metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, [REVISION]: String(revision) } },
        spec: { ...current.spec, replicas: next },
      }),
    )
  for (const other of others) {
    const left = Math.max(0, wanted - ready)
    if ((other.spec.replicas ?? 0) > left)
      await quietly(() => client.update(REPLICA_SET, { ...other, spec: { ...other.spec, replicas: left } }))
  }
  const sum = (of: (set: ReplicaSet) => number | undefined) => sets.reduce((n, set) => n + (of(set) ?? 0), 0)
  const readyAll = sum((set) => set.status.readyReplicas)
  const at = new Date(Math.floor(systemClock.now() / 1000) * 1000).toISOString().replace('.000', '')
  const available = readyAll >= wanted
  const status: Deployment['status'] = {
    observedGeneration: deployment.metadata.generation ?? 1,
    replicas: sum((set) => set.status.replicas),
    updatedReplicas: current.status.replicas ?? 0,
    readyReplicas: readyAll,
    availableReplicas: readyAll,
    conditions: [
      condition(
        'Available',
        available,
        available ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        at,
        deployment.status.conditions,
      ),
      condition('Progressing', true, available ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated', at, deployment.status.conditions),
    ] as NonNullable<Deployment['status']['conditions']>,
  }
  const annotated = deployment.metadata.annotations?.[REVISION] === String(revision)
  if (!annotated)
    await quietly(() =>
      client.update(DEPLOYMENT, {
        ...deployment,
        metadata: { ...deployment.metadata, annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) } },
      }),
    )
  else if (different(status, deployment.status))
    await quietly(() => client.update(DEPLOYMENT, { ...deployment, status }, { subresource: 'status' }))
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
}
function condition(type: string, on: boolean, reason: string, at: string, before: readonly Condition[] | undefined) {
  const status = on ? 'True' : 'False'
  const old = before?.find((c) => c.type === type && c.status === status)
  const time = old?.lastTransitionTime ?? at
  return { type, status, reason, lastTransitionTime: time, lastUpdateTime: time, message: '' }
}

const different = (a: unknown, b: unknown) => JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b))
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined && each !== 0 && each !== '')
  return Object.fromEntries(entries.toSorted(([x], [y]) => (x < y ? -1 : 1)).map(([key, each]) => [key, sorted(each)]))
}
const isReady = (pod: Pod) => pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true

async function syncSet(client: Client, set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
  const wanted = set.metadata.deletionTimestamp ? 0 : (set.spec.replicas ?? 1)
  const living = pods.filter((pod) => !pod.metadata.deletionTimestamp && pod.status.phase !== 'Failed')
  for (let i = living.length; i < wanted; i++) await quietly(() => createPod(client, set, i))
  for (const pod of living.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, Math.max(0, living.length - wanted)))
    await quietly(() => client.delete(POD, { ...pod.metadata }))
  const ready = living.filter(isReady).length
  const status: ReplicaSet['status'] = {
    replicas: living.length,
    readyReplicas: ready,
    availableReplicas: ready,
    fullyLabeledReplicas: living.length,
    observedGeneration: set.metadata.generation ?? 1,
  }
  if (different(status, set.status)) await quietly(() => client.update(REPLICA_SET, { ...set, status }, { subresource: 'status' }))
}

async function createPod(client: Client, by: ReplicaSet | DaemonSet, index: number, nodeName?: string): Promise<void> {
  const { template } = by.spec
  const fate = template.metadata.annotations?.['fake/fate'] ?? ''
  const [what = '', first] = fate.split('*')
  const mine = what && (first === undefined || index < Number(first)) ? what : ''
  await client.create(POD, {
    metadata: {
      generateName: `${by.metadata.name}-`,
      namespace: by.metadata.namespace ?? '',
      labels: template.metadata.labels ?? {},
      annotations: { ...template.metadata.annotations, 'fake/fate': mine },
      ownerReferences: owner(by),
    },
    spec: nodeName ? { ...template.spec, nodeName } : template.spec,
  })
}

async function syncDaemon(client: Client, daemon: DaemonSet, nodes: readonly Node[], pods: readonly Pod[]): Promise<void> {
  const open = nodes.filter((node) => !node.spec.unschedulable || pods.some((pod) => pod.spec.nodeName === node.metadata.name))
  for (const [index, node] of open.entries())
    if (!pods.some((pod) => pod.spec.nodeName === node.metadata.name))
      await quietly(() => createPod(client, daemon, index, node.metadata.name))
  const ready = pods.filter(isReady).length
  const n = open.length
  const status: DaemonSet['status'] = {
    currentNumberScheduled: pods.length,
    desiredNumberScheduled: n,
    numberReady: ready,
    numberAvailable: ready,
    numberUnavailable: Math.max(0, n - ready),
    numberMisscheduled: 0,
    updatedNumberScheduled: pods.length,
    observedGeneration: daemon.metadata.generation ?? 1,
  }
  if (different(status, daemon.status)) await quietly(() => client.update(DAEMON_SET, { ...daemon, status }, { subresource: 'status' }))
}

const asks = (pod: Pod, resource: 'cpu' | 'memory') =>
  pod.spec.containers.reduce((n, c) => n + (parseQuantity(c.resources?.requests?.[resource]) || 0), 0)

/** Nodes that take pods, the emptiest first, and how much memory each has left. */
function places(nodes: readonly Node[], pods: readonly Pod[]): { name: string; left: number; cpu: number }[] {
  return nodes
    .filter((node) => !node.spec.unschedulable && node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    .map((node) => {
      const used = pods.filter((pod) => pod.spec.nodeName === node.metadata.name).reduce((n, pod) => n + asks(pod, 'memory') + 2 ** 27, 0)
      const cpu = pods.filter((pod) => pod.spec.nodeName === node.metadata.name).reduce((n, pod) => n + asks(pod, 'cpu'), 0)
      return {
        name: node.metadata.name,
        left: parseQuantity(node.status.allocatable?.['memory']) - used,
        cpu: parseQuantity(node.status.allocatable?.['cpu']) - cpu,
      }
    })
    .toSorted((a, b) => b.left - a.left)
}

async function syncPod(client: Client, pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): Promise<void> {
  const { name, namespace = '' } = pod.metadata
  const age = systemClock.now() - Date.parse(pod.metadata.creationTimestamp)
  if (pod.metadata.deletionTimestamp) return quietly(() => client.delete(POD, { name, namespace }, { gracePeriodSeconds: 0 }))
  if (!pod.spec.nodeName) {
    const free = places(nodes, pods)
    const place = free.find((each) => each.left >= asks(pod, 'memory') && each.cpu >= asks(pod, 'cpu'))
    if (place) {
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace },
        target: { kind: 'Node', name: place.name },
      })
      const answer = await client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
        headers: { 'content-type': 'application/json' },
        body,
      })
      await answer.body[Symbol.asyncDispose]()
      await tell(client, pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${place.name}`, 'default-scheduler')
    } else if (!pod.status.conditions?.some((c) => c.type === 'PodScheduled')) {
      const message = free.length
        ? `0/${nodes.length} nodes are available: ${nodes.length} Insufficient memory.`
        : 'no nodes available to schedule pods'
      await quietly(() =>
        client.update(
          POD,
          {
            ...pod,
            status: {
              ...pod.status,
              phase: 'Pending',
              conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
            },
          },
          { subresource: 'status' },
        ),
      )
      await tell(client, pod, 'Warning', 'FailedScheduling', message, 'default-scheduler')
    }
    return
  }
  if (age < PAUSE) return
  const after = age > 4 * PAUSE ? statusAfter(pod) : null
  if (after) return quietly(() => client.update(POD, { ...pod, status: after }, { subresource: 'status' }))
  if (pod.status.containerStatuses?.length) return
  const status = statusFor(pod, systemClock.now())
  if (!status) return
  await quietly(() => client.update(POD, { ...pod, status: { ...pod.status, ...status.status } }, { subresource: 'status' }))
  for (const event of status.events) await tell(client, pod, event.type, event.reason, event.message, 'kubelet')
}
