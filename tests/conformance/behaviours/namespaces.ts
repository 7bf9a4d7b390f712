/** Namespace and GarbageCollector. */
import assert from 'node:assert/strict'
import {
  configMap,
  deployment,
  namespace as namespaceKind,
  pod,
  replicaSet,
  replicationController,
  service,
} from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podSpec, podTemplateSpec, workloadSpec } from '../lib/objects.ts'
import { assertHas, uids, untilGone, updateObject } from '../lib/whole-api.ts'

/** Gone with the namespace, and not there when it is made anew. */
function deletionRemoves<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>): Behaviour {
  return async (context) => {
    const { client } = context
    const name = await context.anotherNamespace()
    await client.create(kind, { ...draft, metadata: { name: 'inside', namespace: name } })
    await client.delete(namespaceKind, { name })
    await untilGone(context, namespaceKind, { name })
    await client.create(namespaceKind, { metadata: { name } })
    assert.deepEqual((await client.list(kind, { namespace: name })).items, [])
  }
}

/** How many pods a controller makes where a row says 10 to 100. */
const MANY = 20

const podsOf = async ({ client, namespace }: BehaviourContext) => (await client.list(pod, { namespace })).items
const owns = (owner: KubeObject, { metadata }: KubeObject) => (metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid)

async function createController(context: BehaviourContext, name: string, replicas: number): Promise<KubeObject> {
  const { client, namespace, signal } = context
  const labels = { app: name }
  const made = await client.create(replicationController, {
    metadata: { name, namespace },
    spec: { replicas, selector: labels, template: podTemplateSpec(labels) },
  })
  const wanted = replicas === 2 ? 1 : replicas
  await eventually(
    signal,
    `${wanted} pods of ${name}`,
    async () => (await podsOf(context)).filter((one) => owns(made, one)).length >= wanted,
  )
  return made
}

async function createDeployment(context: BehaviourContext): Promise<{ set: KubeObject; at: { name: string; namespace: string } }> {
  const { client, namespace, signal } = context
  const at = { name: 'work', namespace }
  await client.create(deployment, { metadata: at, spec: { replicas: 2, ...workloadSpec({ app: 'work' }) } })
  const set = await eventually(signal, 'a ReplicaSet', async () => (await client.list(replicaSet, { namespace })).items[0])
  await eventually(signal, 'its pods', async () => (await podsOf(context)).length === 2)
  return { set, at }
}

/** Looks again and again for as long as a collector would need to do wrong. */
async function throughout(milliseconds: number, look: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    await look()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

export const behaviours: Behaviours = {
  'namespace-delete-removes-pods': deletionRemoves(pod, { spec: podSpec() }),
  'namespace-delete-removes-services': deletionRemoves(service, { spec: { ports: [{ port: 80 }], selector: { app: 'a' } } }),

  async 'namespace-finalizer'(context) {
    const { client } = context
    const at = { name: await context.anotherNamespace() }
    const finalizer = `example.com/${context.unique('kept')}`
    context.afterwards(() => setFinalizers((names) => names.filter((name) => name !== finalizer)))
    const setFinalizers = (change: (names: string[]) => string[]) =>
      updateObject(context, namespaceKind, at, ({ spec }) => void (spec.finalizers = change(spec.finalizers ?? [])), 'finalize')
    await setFinalizers((names) => [...names, finalizer])
    assert.ok((await client.get(namespaceKind, at)).spec.finalizers?.includes(finalizer))
    await setFinalizers((names) => names.filter((name) => name !== finalizer))
    assert.ok(!(await client.get(namespaceKind, at)).spec.finalizers?.includes(finalizer))
  },

  async 'namespace-ordered-deletion'(context) {
    const { client, signal } = context
    const name = await context.anotherNamespace()
    const held = { name: 'held', namespace: name }
    const beside = { name: 'beside', namespace: name }
    const finalizers = ['example.com/held']
    const release = () => client.patch(pod, held, { type: 'merge', body: { metadata: { finalizers: null } } })
    context.afterwards(() => release().catch(() => undefined))
    await client.create(pod, { metadata: { ...held, finalizers }, spec: podSpec() })
    await client.create(configMap, { metadata: beside, data: { key: 'value' } })
    await client.delete(namespaceKind, { name })
    await eventually(signal, 'the pod is being deleted', async () => (await client.get(pod, held)).metadata.deletionTimestamp)
    await throughout(3_000, async () => {
      assert.equal((await client.get(configMap, beside)).metadata.deletionTimestamp, undefined)
      assert.ok((await client.get(pod, held)).metadata.deletionTimestamp)
    })
    await release()
    await untilGone(context, pod, held)
    await untilGone(context, configMap, beside)
    await untilGone(context, namespaceKind, { name })
  },

  async 'namespace-patch'(context) {
    const { client } = context
    const at = { name: await context.anotherNamespace() }
    const value = context.unique('value')
    await client.patch(namespaceKind, at, { type: 'merge', body: { metadata: { labels: { patched: value } } } })
    assert.equal((await client.get(namespaceKind, at)).metadata.labels?.['patched'], value)
  },

  async 'namespace-update'(context) {
    const at = { name: await context.anotherNamespace() }
    const value = context.unique('value')
    await updateObject(context, namespaceKind, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: value }
    })
    assert.equal((await context.client.get(namespaceKind, at)).metadata.labels?.['updated'], value)
  },

  async 'namespace-status'(context) {
    const { client } = context
    const at = { name: await context.anotherNamespace() }
    const status = { subresource: 'status' }
    assert.equal((await client.get(namespaceKind, at, status)).status.phase, 'Active')
    const condition = (type: string) => ({ type, status: 'True' as const, reason: 'Conformance', message: 'set by a test' })
    const stored = async () => (await client.get(namespaceKind, at, status)).status.conditions ?? []
    await client.patch(namespaceKind, at, { type: 'merge', body: { status: { conditions: [condition('StatusPatched')] } } }, status)
    assertHas((await stored()).find(({ type }) => type === 'StatusPatched') ?? {}, condition('StatusPatched'))
    await updateObject(
      context,
      namespaceKind,
      at,
      (object) => void (object.status.conditions = [...(object.status.conditions ?? []), condition('StatusUpdated')]),
      'status',
    )
    assertHas((await stored()).find(({ type }) => type === 'StatusUpdated') ?? {}, condition('StatusUpdated'))
    assert.ok((await stored()).some(({ type }) => type === 'StatusPatched'))
  },

  async 'gc-dependency-circle'(context) {
    const { client, namespace } = context
    const names = ['pod1', 'pod2', 'pod3']
    const made: Pod[] = []
    for (const name of names) made.push(await client.create(pod, { metadata: { name, namespace }, spec: podSpec() }))
    for (const [i, name] of names.entries()) {
      const owner = made[(i + 2) % 3]
      assert.ok(owner)
      const reference = {
        apiVersion: 'v1',
        kind: 'Pod',
        name: owner.metadata.name,
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      }
      await client.patch(pod, { name, namespace }, { type: 'merge', body: { metadata: { ownerReferences: [reference] } } })
    }
    await client.delete(pod, { name: 'pod1', namespace })
    for (const name of names) await untilGone(context, pod, { name, namespace })
  },

  async 'gc-deployment-background'(context) {
    const { client, signal } = context
    const { set, at } = await createDeployment(context)
    await client.delete(deployment, at, { propagationPolicy: 'Background' })
    await untilGone(context, replicaSet, set.metadata)
    await eventually(signal, 'no pods are left', async () => (await podsOf(context)).length === 0)
  },

  async 'gc-deployment-orphan'(context) {
    const { client, signal } = context
    const { set, at } = await createDeployment(context)
    const pods = uids(await podsOf(context))
    await client.delete(deployment, at, { propagationPolicy: 'Orphan' })
    await untilGone(context, deployment, at)
    await eventually(
      signal,
      'the ReplicaSet has no owner',
      async () => !(await client.get(replicaSet, set.metadata)).metadata.ownerReferences?.length,
    )
    await throughout(10_000, async () => {
      assert.equal((await client.get(replicaSet, set.metadata)).metadata.deletionTimestamp, undefined)
      assert.deepEqual(new Set(uids(await podsOf(context))), new Set(pods))
    })
  },

  async 'gc-rc-background'(context) {
    const { client, signal } = context
    const owner = await createController(context, 'work', 2)
    await client.delete(replicationController, owner.metadata, { propagationPolicy: 'Background' })
    await untilGone(context, replicationController, owner.metadata)
    await eventually(signal, 'no pods are left', async () => (await podsOf(context)).length === 0)
  },

  async 'gc-rc-foreground'(context) {
    const { client, namespace, signal } = context
    const owner = await createController(context, 'work', MANY)
    // One pod takes its time, so that there is something to see.
    const [slow] = await podsOf(context)
    assert.ok(slow)
    const finalizers = (names: string[] | null) =>
      client.patch(pod, slow.metadata, { type: 'merge', body: { metadata: { finalizers: names } } })
    await finalizers(['example.com/slow'])
    context.afterwards(() => finalizers(null).catch(() => undefined))
    await client.delete(replicationController, owner.metadata, { propagationPolicy: 'Foreground' })
    await eventually(signal, 'only the slow pod is left', async () => {
      const left = await podsOf(context)
      const { deletionTimestamp } = (await client.get(replicationController, owner.metadata)).metadata
      assert.ok(deletionTimestamp, 'the controller is not being deleted')
      return left.length === 1
    })
    await throughout(3_000, async () => {
      assert.ok((await client.get(replicationController, owner.metadata)).metadata.deletionTimestamp)
    })
    await finalizers(null)
    await untilGone(context, replicationController, owner.metadata)
    assert.deepEqual((await client.list(pod, { namespace })).items, [])
  },

  async 'gc-rc-orphan'(context) {
    const { client, signal } = context
    const owner = await createController(context, 'work', MANY)
    const pods = uids(await podsOf(context))
    await client.delete(replicationController, owner.metadata, { propagationPolicy: 'Orphan' })
    await untilGone(context, replicationController, owner.metadata)
    await eventually(signal, 'no pod has the owner', async () => (await podsOf(context)).every((one) => !owns(owner, one)))
    await throughout(30_000, async () => assert.deepEqual(new Set(uids(await podsOf(context))), new Set(pods)))
  },

  async 'gc-two-owners'(context) {
    const { client, signal } = context
    const leaving = await createController(context, 'leaving', MANY)
    const staying = await createController(context, 'staying', 0)
    const half = (await podsOf(context)).slice(0, MANY / 2)
    const { name, uid } = staying.metadata
    for (const { metadata } of half) {
      const ownerReferences = [...(metadata.ownerReferences ?? []), { apiVersion: 'v1', kind: 'ReplicationController', name, uid }]
      await client.patch(pod, metadata, { type: 'merge', body: { metadata: { ownerReferences } } })
    }
    await client.delete(replicationController, leaving.metadata, { propagationPolicy: 'Foreground' })
    await untilGone(context, replicationController, leaving.metadata)
    await eventually(signal, 'the other half is gone', async () => (await podsOf(context)).length === half.length)
    await throughout(5_000, async () => {
      const left = await podsOf(context)
      assert.deepEqual(new Set(uids(left)), new Set(uids(half)))
      for (const { metadata } of left) assert.equal(metadata.deletionTimestamp, undefined)
    })
  },
}
