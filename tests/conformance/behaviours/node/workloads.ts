/** Deployment, ReplicaSet, ReplicationController, DaemonSet and PodDisruptionBudget with pods that run. */
import assert from 'node:assert/strict'
import {
  controllerRevision,
  daemonSet,
  deployment,
  node,
  pod,
  podDisruptionBudget,
  replicaSet,
  replicationController,
} from '../../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../../electron/api/kind.ts'
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import type { Scale } from '../../../../electron/api/autoscaling/v1/types.gen.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { getJson, send } from '../../lib/raw.ts'
import { execIn, isReady, shell, STAY, startPod } from '../../lib/running.ts'
import { startWatch } from '../../lib/watching.ts'
import { untilGone, updateObject } from '../../lib/whole-api.ts'
import { podsOf, selectorOf, servingSet, untilReady } from '../../lib/workloads.ts'

const DEMO = 'flotilla.local/demo:1'
const MISSING = 'flotilla.local/missing:1'
const LABELS = { app: 'fleet' }

/** A plain set of pods that do nothing, and end fast. */
function idleSet(context: BehaviourContext, image = context.image) {
  const spec = { terminationGracePeriodSeconds: 1, containers: [{ ...shell(context, STAY), image }] }
  return { selector: { matchLabels: LABELS }, template: { metadata: { labels: LABELS }, spec } }
}

const at = ({ namespace }: BehaviourContext, name = 'fleet') => ({ name, namespace })

const createDeployment = (context: BehaviourContext, spec: object) =>
  context.client.create(deployment, { metadata: { ...at(context), labels: LABELS }, spec: { ...idleSet(context), ...spec } })

const setImage = (context: BehaviourContext, image: string) =>
  updateObject(context, deployment, at(context), ({ spec }) => {
    const [container] = spec.template.spec?.containers ?? []
    assert.ok(container)
    container.image = image
  })

const replicaSetsOf = async ({ client, namespace }: BehaviourContext) =>
  (await client.list(replicaSet, { namespace, labelSelector: selectorOf(LABELS) })).items

/** Its status is of its newest spec, and all pods are of its newest template and available. */
const untilRolledOut = (context: BehaviourContext) =>
  eventually(context.signal, 'the rollout is done', async () => {
    const { metadata, spec, status } = await context.client.get(deployment, at(context))
    const { observedGeneration, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status
    return (
      observedGeneration === metadata.generation && [replicas, updatedReplicas, availableReplicas].every((count) => count === spec.replicas)
    )
  })

/** Pods of an older set that a Deployment takes over. */
async function adopted(context: BehaviourContext, replicas: number): Promise<void> {
  const { client } = context
  await client.create(replicaSet, { metadata: { ...at(context, 'old'), labels: LABELS }, spec: { ...idleSet(context, DEMO), replicas } })
  await untilReady(context, LABELS, replicas)
}

/** `/scale` reads one replica, and is updated to two and patched to four. */
function scaled<T extends KubeObject & { spec: { replicas?: number } }>(kind: Kind<T>, path: string, selector: object): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const template = idleSet(context).template
    await client.create(kind, { metadata: at(context), spec: { replicas: 1, selector, template } } as never)
    await untilReady(context, LABELS, 1)
    const target = `/apis/apps/v1/namespaces/${namespace}/${path}/fleet/scale`
    const scale = await getJson<Scale>(client, target)
    assert.equal(scale.spec.replicas, 1)
    assert.equal(scale.status.replicas, 1)
    await eventually(context.signal, 'the scale is updated to the newest state', async () => {
      const updated = await send(client, 'PUT', target, { ...(await getJson<Scale>(client, target)), spec: { replicas: 2 } })
      assert.ok(updated.status === 200 || updated.status === 409, updated.text)
      return updated.status === 200
    })
    assert.equal((await client.get(kind, at(context))).spec.replicas, 2)
    await untilReady(context, LABELS, 2)
    const patched = await send(client, 'PATCH', target, { spec: { replicas: 4 } }, { 'content-type': 'application/merge-patch+json' })
    assert.equal(patched.status, 200, patched.text)
    assert.equal((await client.get(kind, at(context))).spec.replicas, 4)
    await untilReady(context, LABELS, 4)
  }
}

/** Every pod of a set answers with its own name. */
async function assertServe(context: BehaviourContext, count: number): Promise<void> {
  const pods = await untilReady(context, LABELS, count)
  const from = await startPod(context, { containers: [shell(context, STAY)] }, { labels: { asks: 'true' } })
  for (const { metadata, status } of pods)
    assert.equal(await execIn(context, from, `fetch http://${status.podIP}:8080/hostname`), metadata.name)
}

async function onlyNode({ client }: BehaviourContext) {
  const [first] = (await client.list(node)).items
  assert.ok(first)
  return first.metadata
}

export const behaviours: Behaviours = {
  async 'deployment-lifecycle'(context) {
    const { client, namespace, signal } = context
    await using watching = await startWatch(client, deployment, { namespace, labelSelector: selectorOf(LABELS), signal })
    const available = (count: number) => (object: Deployment) => object.status.availableReplicas === count
    await createDeployment(context, { replicas: 1 })
    await watching.until('ADDED')
    await watching.until('MODIFIED', available(1))
    await client.patch(deployment, at(context), {
      type: 'strategic',
      body: { metadata: { labels: { patched: 'true' } }, spec: { replicas: 2 } },
    })
    await watching.until('MODIFIED', (object) => object.metadata.labels?.['patched'] === 'true' && available(2)(object))
    assert.equal((await client.list(deployment, { labelSelector: selectorOf({ ...LABELS, patched: 'true' }) })).items.length, 1)
    const scale = `/apis/apps/v1/namespaces/${namespace}/deployments/fleet/scale`
    const patched = await send(client, 'PATCH', scale, { spec: { replicas: 3 } }, { 'content-type': 'application/merge-patch+json' })
    assert.equal(patched.status, 200, patched.text)
    await watching.until('MODIFIED', available(3))
    const status = { subresource: 'status' }
    assert.equal((await client.get(deployment, at(context), status)).status.readyReplicas, 3)
    const condition = { type: 'example.com/Patched', status: 'True', reason: 'Test', message: 'set by a test' }
    await client.patch(deployment, at(context), { type: 'strategic', body: { status: { conditions: [condition] } } }, status)
    await watching.until('MODIFIED', (object) => object.status.conditions?.some(({ type }) => String(type) === condition.type) ?? false)
    await client.delete(deployment, at(context))
    await watching.until('DELETED')
  },

  async 'deployment-proportional-scaling'(context) {
    const { client } = context
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
    await createDeployment(context, { replicas: 10, strategy })
    await untilReady(context, LABELS, 10)
    await untilRolledOut(context)
    await setImage(context, MISSING)
    const sizes = async () =>
      (await replicaSetsOf(context))
        .map(({ spec }) => spec.replicas ?? 0)
        .sort((a, b) => b - a)
        .join()
    await eventually(context.signal, 'the sets have 8 and 5 replicas', async () => (await sizes()) === '8,5')
    await eventually(
      context.signal,
      'eight are available',
      async () => (await client.get(deployment, at(context))).status.availableReplicas === 8,
    )
    await updateObject(context, deployment, at(context), ({ spec }) => void (spec.replicas = 30))
    await eventually(context.signal, 'the sets have 20 and 13 replicas', async () => (await sizes()) === '20,13')
  },

  async 'deployment-recreate'(context) {
    const { client, namespace, signal } = context
    await createDeployment(context, { replicas: 2, strategy: { type: 'Recreate' } })
    await untilReady(context, LABELS, 2)
    const { resourceVersion = '' } = (await client.list(pod, { namespace })).metadata
    await using watching = await startWatch(client, pod, { namespace, labelSelector: selectorOf(LABELS), resourceVersion, signal })
    await setImage(context, DEMO)
    await eventually(signal, 'the new pods run', async () => {
      const pods = await podsOf(context, LABELS)
      return pods.length === 2 && pods.every((one) => isReady(one) && one.spec.containers[0]?.image === DEMO)
    })
    const gone = new Set<string>()
    for (const { type, object } of watching.seen) {
      const image = object.spec.containers[0]?.image
      const ended = object.status.phase === 'Succeeded' || object.status.phase === 'Failed'
      if (image !== DEMO && (type === 'DELETED' || ended)) gone.add(object.metadata.uid)
      if (image === DEMO) assert.equal(gone.size, 2, 'a new pod was made while an old one ran')
    }
  },

  async 'deployment-revision-history-limit'(context) {
    await adopted(context, 1)
    await createDeployment(context, { replicas: 1, revisionHistoryLimit: 0 })
    await untilRolledOut(context)
    await eventually(context.signal, 'the old set is gone', async () => {
      const sets = await replicaSetsOf(context)
      return sets.length === 1 && sets[0]?.metadata.name !== 'old' && sets[0]?.spec.replicas === 1
    })
  },

  async 'deployment-rolling-update'(context) {
    const { client } = context
    await adopted(context, 1)
    await createDeployment(context, { replicas: 1, strategy: { type: 'RollingUpdate' } })
    await untilRolledOut(context)
    const sets = await replicaSetsOf(context)
    const { uid } = (await client.get(deployment, at(context))).metadata
    assert.equal(sets.length, 2)
    for (const { metadata } of sets) assert.equal(metadata.ownerReferences?.[0]?.uid, uid)
    assert.equal(sets.find(({ metadata }) => metadata.name === 'old')?.spec.replicas, 0)
    const [only, ...others] = await untilReady(context, LABELS, 1)
    assert.equal(others.length, 0)
    assert.equal(only?.spec.containers[0]?.image, context.image)
  },

  async 'deployment-rollover'(context) {
    const { signal } = context
    await adopted(context, 1)
    await createDeployment(context, {
      replicas: 1,
      ...idleSet(context, MISSING),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    })
    const stuck = await eventually(signal, 'a rollout is stuck', async () =>
      (await replicaSetsOf(context)).find(
        ({ spec, status }) => spec.template?.spec?.containers[0]?.image === MISSING && status.replicas === 1,
      ),
    )
    await setImage(context, context.image)
    await untilRolledOut(context)
    await eventually(signal, 'the older sets are empty', async () => {
      const older = (await replicaSetsOf(context)).filter(({ metadata }) => ['old', stuck.metadata.name].includes(metadata.name))
      return older.length === 2 && older.every(({ spec, status }) => spec.replicas === 0 && (status.replicas ?? 0) === 0)
    })
  },

  'deployment-scale-subresource': scaled(deployment, 'deployments', { matchLabels: LABELS }),
  'replicaset-scale-subresource': scaled(replicaSet, 'replicasets', { matchLabels: LABELS }),

  async 'replicaset-serve-image'(context) {
    const { selector, template } = servingSet(context, LABELS)
    await context.client.create(replicaSet, { metadata: at(context), spec: { replicas: 2, selector, template } })
    await assertServe(context, 2)
  },
  async 'rc-serve-image'(context) {
    const { template } = servingSet(context, LABELS)
    const container = template.spec.containers[0]
    assert.ok(container)
    container.env = [{ name: 'UDP_PORT', value: '8081' }]
    await context.client.create(replicationController, { metadata: at(context), spec: { replicas: 2, selector: LABELS, template } })
    await assertServe(context, 2)
    const from = await startPod(context, { containers: [shell(context, STAY)] }, { labels: { asks: 'true' } })
    for (const { metadata, status } of await podsOf(context, LABELS)) {
      const udp = `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); process.exit(0) }); s.send('hello', 8081, '${status.podIP}'); setTimeout(() => process.exit(1), 5000)`
      assert.equal((await execIn(context, from, `node -e "${udp}"`)).trim(), metadata.name)
      const tcp = `require('net').connect(8080, '${status.podIP}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`
      await execIn(context, from, `node -e "${tcp}"`)
    }
  },

  async 'replicaset-replace-patch'(context) {
    const { client } = context
    await client.create(replicaSet, { metadata: at(context), spec: { ...idleSet(context), replicas: 1 } })
    await untilReady(context, LABELS, 1)
    await updateObject(context, replicaSet, at(context), ({ spec }) => void (spec.replicas = 2))
    await untilReady(context, LABELS, 2)
    await eventually(context.signal, 'two are ready', async () => (await client.get(replicaSet, at(context))).status.readyReplicas === 2)
    const containers = [{ name: 'main', image: DEMO }]
    const body = { metadata: { labels: { patched: 'true' } }, spec: { template: { spec: { containers } } } }
    await client.patch(replicaSet, at(context), { type: 'strategic', body })
    const { metadata, spec } = await client.get(replicaSet, at(context))
    assert.equal(metadata.labels?.['patched'], 'true')
    assert.equal(spec.template?.spec?.containers[0]?.image, DEMO)
  },

  async 'rc-lifecycle'(context) {
    const { client, namespace, signal } = context
    const scope = { namespace, labelSelector: selectorOf(LABELS) }
    await using watching = await startWatch(client, replicationController, { ...scope, signal })
    const { template } = idleSet(context)
    await client.create(replicationController, {
      metadata: { ...at(context), labels: LABELS },
      spec: { replicas: 1, selector: LABELS, template },
    })
    await watching.until('ADDED')
    await watching.until('MODIFIED', ({ status }) => status.readyReplicas === 1)
    assert.equal((await client.get(replicationController, at(context))).spec.replicas, 1)
    await client.patch(replicationController, at(context), { type: 'strategic', body: { metadata: { labels: { patched: 'true' } } } })
    await watching.until('MODIFIED', ({ metadata }) => metadata.labels?.['patched'] === 'true')
    const status = { subresource: 'status' }
    const condition = { type: 'example.com/Patched', status: 'True' }
    await client.patch(replicationController, at(context), { type: 'strategic', body: { status: { conditions: [condition] } } }, status)
    await watching.until('MODIFIED', (object) => object.status.conditions?.some(({ type }) => String(type) === condition.type) ?? false)
    const scale = `/api/v1/namespaces/${namespace}/replicationcontrollers/fleet/scale`
    const patched = await send(client, 'PATCH', scale, { spec: { replicas: 2 } }, { 'content-type': 'application/merge-patch+json' })
    assert.equal(patched.status, 200, patched.text)
    await watching.until('MODIFIED', ({ status: { readyReplicas } }) => readyReplicas === 2)
    assert.equal((await client.list(replicationController, scope)).items.length, 1)
    await client.deleteCollection(replicationController, scope)
    await watching.until('DELETED')
    await untilGone(context, replicationController, at(context))
  },

  async 'daemonset-node-selector'(context) {
    const { client, signal } = context
    const { name } = await onlyNode(context)
    const paint = (colour: string | null) => client.patch(node, { name }, { type: 'merge', body: { metadata: { labels: { colour } } } })
    context.afterwards(() => paint(null))
    const { selector, template } = idleSet(context)
    const spec = { ...template.spec, nodeSelector: { colour: 'blue' } }
    await client.create(daemonSet, { metadata: at(context), spec: { selector, template: { ...template, spec } } })
    await eventually(signal, 'it was looked at', async () => (await client.get(daemonSet, at(context))).status.observedGeneration === 1)
    assert.deepEqual(await podsOf(context, LABELS), [])
    await paint('blue')
    await untilReady(context, LABELS, 1)
    await paint('green')
    await eventually(signal, 'no pod is left', async () => (await podsOf(context, LABELS)).length === 0)
    await updateObject(context, daemonSet, at(context), (object) => {
      object.spec.updateStrategy = { type: 'RollingUpdate' }
      if (object.spec.template.spec) object.spec.template.spec.nodeSelector = { colour: 'green' }
    })
    const [back] = await untilReady(context, LABELS, 1)
    assert.equal(back?.spec.nodeName, name)
  },

  async 'daemonset-retry-failed-pod'(context) {
    const { client } = context
    await client.create(daemonSet, { metadata: at(context), spec: idleSet(context) })
    const [first] = await untilReady(context, LABELS, 1)
    assert.ok(first)
    await updateObject(context, pod, first.metadata, ({ status }) => void (status.phase = 'Failed'), 'status')
    await untilGone(context, pod, first.metadata)
    const [second] = await untilReady(context, LABELS, 1)
    assert.notEqual(second?.metadata.uid, first.metadata.uid)
  },

  async 'daemonset-rolling-update'(context) {
    const { client, namespace, signal } = context
    await client.create(daemonSet, { metadata: at(context), spec: { ...idleSet(context), updateStrategy: { type: 'RollingUpdate' } } })
    const revisions = async () => (await client.list(controllerRevision, { namespace, labelSelector: selectorOf(LABELS) })).items
    await untilReady(context, LABELS, 1)
    assert.equal((await revisions()).length, 1)
    const containers = [{ name: 'main', image: DEMO }]
    await client.patch(daemonSet, at(context), { type: 'strategic', body: { spec: { template: { spec: { containers } } } } })
    const updated = await eventually(signal, 'the pod is of the new image', async () => {
      const pods = await podsOf(context, LABELS)
      return pods.length === 1 && pods.every((one) => isReady(one) && one.spec.containers[0]?.image === DEMO) ? pods[0] : null
    })
    const newest = (await revisions()).toSorted((a, b) => b.revision - a.revision)
    assert.equal(newest.length, 2)
    const hash = updated.metadata.labels?.['controller-revision-hash']
    assert.ok(hash)
    assert.equal(newest[0]?.metadata.labels?.['controller-revision-hash'], hash)
  },

  async 'pdb-disruptions-allowed'(context) {
    const { client, signal } = context
    await client.create(replicaSet, { metadata: at(context), spec: { ...idleSet(context), replicas: 3 } })
    await untilReady(context, LABELS, 3)
    const made = await client.create(podDisruptionBudget, {
      metadata: at(context),
      spec: { minAvailable: 1, selector: { matchLabels: LABELS } },
    })
    const limit = AbortSignal.any([signal, AbortSignal.timeout(30_000)])
    const { status } = await eventually(limit, 'disruptions are allowed', async () => {
      const seen = await client.get(podDisruptionBudget, at(context))
      return seen.status.disruptionsAllowed > 0 ? seen : null
    })
    assert.equal(status.observedGeneration, made.metadata.generation)
  },

  async 'pdb-blocks-eviction'(context) {
    const { client, namespace, signal } = context
    await client.create(replicaSet, { metadata: at(context), spec: { ...idleSet(context), replicas: 2 } })
    const [victim] = await untilReady(context, LABELS, 2)
    await client.create(podDisruptionBudget, { metadata: at(context), spec: { minAvailable: 2, selector: { matchLabels: LABELS } } })
    const name = victim?.metadata.name
    const evict = () =>
      send(client, 'POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
      })
    const limit = AbortSignal.any([signal, AbortSignal.timeout(30_000)])
    await eventually(
      limit,
      'the budget is counted',
      async () => (await client.get(podDisruptionBudget, at(context))).status.observedGeneration === 1,
    )
    assert.equal((await evict()).status, 429)
    await updateObject(context, podDisruptionBudget, at(context), ({ spec }) => void (spec.minAvailable = 1))
    await eventually(limit, 'the eviction is granted', async () => (await evict()).status === 201)
  },
}
