/** Deployment, ReplicaSet, ReplicationController, DaemonSet, StatefulSet and ControllerRevision, as far as no pod must run. */
import assert from 'node:assert/strict'
import {
  controllerRevision,
  daemonSet,
  deployment,
  pod,
  replicaSet,
  replicationController,
  resourceQuota,
  statefulSet,
} from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { Scale } from '../../../electron/api/autoscaling/v1/types.gen.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podSpec, podTemplateSpec, workloadSpec } from '../lib/objects.ts'
import { getJson, send } from '../lib/raw.ts'
import { statusWrites } from '../lib/status-writes.ts'
import { assertHas, mark, uids, updateObject } from '../lib/whole-api.ts'

type Drafted<T> = (context: BehaviourContext) => Draft<T>

const of =
  (more: object = {}): Drafted<never> =>
  (context) => {
    const labels = { app: context.unique('app') }
    return { metadata: { name: 'fleet', namespace: context.namespace, labels }, spec: { ...workloadSpec(labels), ...more } } as Draft<never>
  }

const replicated = of({ replicas: 1 })
const stateful = of({ replicas: 1, serviceName: 'none' })

/** Found by its label, perhaps changed, and removed with that label. */
function listAndDeleteCollection<T extends KubeObject>(
  kind: Kind<T>,
  draft: Drafted<T>,
  meanwhile?: (context: BehaviourContext, object: T) => Promise<void>,
): Behaviour {
  return async (context) => {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const sent = draft(context)
    const made = await client.create(kind, { ...sent, metadata: { name: 'fleet', namespace, labels } })
    const list = async () => (await client.list(kind, { namespace, labelSelector: selector })).items
    assert.deepEqual(uids(await list()), uids([made]))
    await meanwhile?.(context, made)
    await client.deleteCollection(kind, { namespace, labelSelector: selector })
    await eventually(signal, 'the list is empty', async () => (await list()).length === 0)
  }
}

/** A part of an object that is another kind. */
async function getScale({ client, namespace }: BehaviourContext, path: string): Promise<Scale> {
  return getJson<Scale>(client, `/${path.replace('NAMESPACE', namespace)}/fleet/scale`)
}

async function setScale(context: BehaviourContext, path: string, replicas: number): Promise<void> {
  const read = await getScale(context, path)
  // Whoever else writes the object meanwhile does not matter.
  const { resourceVersion: _any, ...metadata } = read.metadata
  const body = { ...read, metadata, spec: { replicas } }
  const answer = await send(context.client, 'PUT', `/${path.replace('NAMESPACE', context.namespace)}/fleet/scale`, body)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.json<Scale>().spec.replicas, replicas)
}

function scaleSubresource<T extends KubeObject & { spec: { replicas?: number } }>(
  kind: Kind<T>,
  draft: Drafted<T>,
  path: string,
): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    await client.create(kind, draft(context))
    const before = await getScale(context, path)
    assertHas(before, { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'fleet', namespace }, spec: { replicas: 1 } })
    await setScale(context, path, 2)
    assert.equal((await getScale(context, path)).spec.replicas, 2)
    assert.equal((await client.get(kind, { name: 'fleet', namespace })).spec.replicas, 2)
  }
}

const podLabels = (context: BehaviourContext) => ({ app: context.unique('app') })
const selectorOf = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
const controllerOf = (object: Pod) => object.metadata.ownerReferences?.find(({ controller }) => controller)

async function podsOf({ client, namespace }: BehaviourContext, labels: Record<string, string>): Promise<readonly Pod[]> {
  return (await client.list(pod, { namespace, labelSelector: selectorOf(labels) })).items
}

/** The orphan belongs to the controller, or is away and the controller has another. */
async function adopted(context: BehaviourContext, orphan: Pod, owner: KubeObject, labels: Record<string, string>): Promise<void> {
  await eventually(context.signal, 'the pod is adopted or replaced', async () => {
    const pods = await podsOf(context, labels)
    const same = pods.find(({ metadata }) => metadata.uid === orphan.metadata.uid)
    if (same && !same.metadata.deletionTimestamp) return controllerOf(same)?.uid === owner.metadata.uid
    return pods.some((one) => controllerOf(one)?.uid === owner.metadata.uid)
  })
}

/** One pod gets other labels, and is the controller's no longer. */
async function released(context: BehaviourContext, owner: KubeObject, labels: Record<string, string>): Promise<void> {
  const { client, namespace, signal } = context
  const owned = await eventually(signal, 'the controller has a pod', async () =>
    (await podsOf(context, labels)).find((one) => controllerOf(one)?.uid === owner.metadata.uid),
  )
  const { name } = owned.metadata
  await client.patch(pod, { name, namespace }, { type: 'merge', body: { metadata: { labels: { app: 'no-longer' } } } })
  await eventually(signal, 'the pod is released', async () => {
    const { ownerReferences = [] } = (await client.get(pod, { name, namespace })).metadata
    return ownerReferences.every(({ uid }) => uid !== owner.metadata.uid)
  })
}

const createOrphan = ({ client, namespace }: BehaviourContext, labels: Record<string, string>) =>
  client.create(pod, { metadata: { name: 'orphan', namespace, labels }, spec: podSpec() })

const createController = ({ client, namespace }: BehaviourContext, labels: Record<string, string>, replicas = 1) =>
  client.create(replicationController, {
    metadata: { name: 'fleet', namespace },
    spec: { replicas, selector: labels, template: podTemplateSpec(labels) },
  })

const revisionsOf = async ({ client, namespace }: BehaviourContext, labels: Record<string, string>) =>
  (await client.list(controllerRevision, { namespace, labelSelector: selectorOf(labels) })).items

export const behaviours: Behaviours = {
  'deployment-status': statusWrites(deployment, replicated),
  'replicaset-status': statusWrites(replicaSet, replicated),
  'daemonset-status': statusWrites(daemonSet, of()),
  'statefulset-status': statusWrites(statefulSet, stateful),
  'replicaset-list-deletecollection': listAndDeleteCollection(replicaSet, replicated),
  'daemonset-list-deletecollection': listAndDeleteCollection(daemonSet, of()),
  'statefulset-list-patch-deletecollection': listAndDeleteCollection(statefulSet, stateful, async ({ client }, { metadata }) => {
    const body = { metadata: { annotations: { patched: 'true' } }, spec: { replicas: 4 } }
    await client.patch(statefulSet, metadata, { type: 'strategic', body })
    assertHas(await client.get(statefulSet, metadata), body)
  }),
  'statefulset-scale-subresource': scaleSubresource(statefulSet, stateful, 'apis/apps/v1/namespaces/NAMESPACE/statefulsets'),
  'rc-scale-subresource': scaleSubresource(
    replicationController,
    (context) => {
      const labels = podLabels(context)
      return {
        metadata: { name: 'fleet', namespace: context.namespace },
        spec: { replicas: 1, selector: labels, template: podTemplateSpec(labels) },
      }
    },
    'api/v1/namespaces/NAMESPACE/replicationcontrollers',
  ),

  async 'replicaset-adopt-and-release'(context) {
    const labels = podLabels(context)
    const orphan = await createOrphan(context, labels)
    const owner = await context.client.create(replicaSet, {
      metadata: { name: 'fleet', namespace: context.namespace },
      spec: { replicas: 1, ...workloadSpec(labels) },
    })
    await adopted(context, orphan, owner, labels)
    await released(context, owner, labels)
  },

  async 'rc-adopt'(context) {
    const labels = podLabels(context)
    const orphan = await createOrphan(context, labels)
    await adopted(context, orphan, await createController(context, labels), labels)
  },

  async 'rc-release'(context) {
    const labels = podLabels(context)
    await released(context, await createController(context, labels), labels)
  },

  async 'rc-quota-failure-condition'(context) {
    const { client, namespace, signal } = context
    await client.create(resourceQuota, { metadata: { name: 'two', namespace }, spec: { hard: { pods: '2' } } })
    await eventually(signal, 'the quota is counted', async () =>
      Boolean((await client.get(resourceQuota, { name: 'two', namespace })).status.hard?.['pods']),
    )
    const { metadata } = await createController(context, podLabels(context), 3)
    const failing = async () => {
      const { conditions = [], observedGeneration } = (await client.get(replicationController, metadata)).status
      return { observedGeneration, failure: conditions.some(({ type, status }) => type === 'ReplicaFailure' && status === 'True') }
    }
    await eventually(signal, 'ReplicaFailure', async () => (await failing()).failure)
    await updateObject(context, replicationController, metadata, ({ spec }) => void (spec.replicas = 2))
    await eventually(signal, 'no ReplicaFailure any more', async () => !(await failing()).failure)
  },

  async 'controllerrevision-lifecycle'(context) {
    const { client, namespace, signal } = context
    const labels = podLabels(context)
    const { metadata: owner } = await client.create(daemonSet, {
      metadata: { name: 'fleet', namespace, labels },
      spec: workloadSpec(labels),
    })
    const first = await eventually(signal, 'a first revision', async () => {
      const [one, ...more] = await revisionsOf(context, labels)
      return one && !more.length ? one : null
    })
    const at = first.metadata
    assert.equal(first.metadata.ownerReferences?.[0]?.uid, owner.uid)
    assert.equal(first.revision, 1)

    await client.patch(controllerRevision, at, { type: 'merge', body: { metadata: { labels: { patched: 'true' } } } })
    assert.equal((await client.get(controllerRevision, at)).metadata.labels?.['patched'], 'true')
    await updateObject(context, controllerRevision, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' }
    })
    assert.equal((await client.get(controllerRevision, at)).metadata.labels?.['updated'], 'true')

    const second = structuredClone(first)
    const made = await client.create(controllerRevision, {
      metadata: { name: `${at.name}-copy`, namespace, labels: at.labels ?? {}, ownerReferences: at.ownerReferences ?? [] },
      data: second.data ?? {},
      revision: first.revision + 1,
    })
    assert.equal((await revisionsOf(context, labels)).length, 2)
    await client.delete(controllerRevision, made.metadata)
    await eventually(signal, 'one revision again', async () => (await revisionsOf(context, labels)).length === 1)

    const grace = (seconds: number) => ({ spec: { template: { spec: { terminationGracePeriodSeconds: seconds } } } })
    await client.patch(daemonSet, owner, { type: 'strategic', body: grace(7) })
    await eventually(signal, 'a revision for the patched DaemonSet', async () => {
      const revisions = await revisionsOf(context, labels)
      return revisions.length === 2 && revisions.some(({ revision }) => revision === 2)
    })
    await client.patch(daemonSet, owner, { type: 'strategic', body: grace(9) })
    const third = await eventually(signal, 'revision 3', async () =>
      (await revisionsOf(context, labels)).find(({ revision }) => revision === 3),
    )
    await Promise.all(
      (await revisionsOf(context, labels))
        .filter(({ metadata }) => metadata.uid !== third.metadata.uid)
        .map(({ metadata }) =>
          client.patch(controllerRevision, metadata, { type: 'merge', body: { metadata: { labels: { old: 'true' } } } }),
        ),
    )
    await client.deleteCollection(controllerRevision, { namespace, labelSelector: 'old=true' })
    await eventually(signal, 'only revision 3 is left', async () => {
      const revisions = await revisionsOf(context, labels)
      return revisions.length === 1 && revisions[0]?.revision === 3
    })
  },
}
