/** Pod and Node, as far as none must run. */
import assert from 'node:assert/strict'
import { csiDriver, node, pod, runtimeClass } from '../../../electron/api/kinds.gen.ts'
import { eventually, ignoreMissing, type Behaviours } from '../lib/behaviour.ts'
import { containerOf, podSpec } from '../lib/objects.ts'
import { assertHas, assertRefused, mark, uids, untilGone, updateObject, wholeApi } from '../lib/whole-api.ts'

export const behaviours: Behaviours = {
  async 'node-lifecycle'(context) {
    const { client } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('e2e-fake') }
    context.afterwards(() => client.delete(node, at).catch(ignoreMissing))
    const made = await client.create(node, { metadata: at, status: { phase: 'Running' } })
    assert.equal((await client.get(node, at)).metadata.uid, made.metadata.uid)
    await client.patch(node, at, { type: 'strategic', body: { metadata: { labels } } })
    assertHas(await client.get(node, at), { metadata: { labels } })
    assert.deepEqual(uids((await client.list(node, { labelSelector: selector })).items), uids([made]))
    await updateObject(context, node, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' }
    })
    assert.equal((await client.get(node, at)).metadata.labels?.['updated'], 'true')
    await client.delete(node, at)
    await untilGone(context, node, at)
  },

  async 'pod-deletecollection'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    for (const name of ['one', 'two', 'three']) {
      await client.create(pod, { metadata: { name, namespace, labels }, spec: podSpec({ terminationGracePeriodSeconds: 1 }) })
    }
    const list = async () => (await client.list(pod, { namespace, labelSelector: selector })).items
    assert.equal((await list()).length, 3)
    await client.deleteCollection(pod, { namespace, labelSelector: selector })
    await eventually(signal, 'the list is empty', async () => (await list()).length === 0)
  },

  async 'pod-qos-class'({ client, namespace }) {
    const amounts = { cpu: '100m', memory: '100Mi' }
    const containers = [containerOf({ resources: { limits: amounts, requests: amounts } })]
    const made = await client.create(pod, { metadata: { name: 'guaranteed', namespace }, spec: podSpec({ containers }) })
    assert.equal(made.status.qosClass, 'Guaranteed')
    assert.equal((await client.get(pod, made.metadata)).status.qosClass, 'Guaranteed')
  },

  async 'pod-status-patch'({ client, namespace }) {
    const at = { name: 'patched', namespace }
    const status = { subresource: 'status' }
    await client.create(pod, { metadata: at, spec: podSpec() })
    const condition = { type: 'TestCondition', status: 'True', message: 'set by a test' }
    await client.patch(pod, at, { type: 'strategic', body: { status: { message: 'patched', conditions: [condition] } } }, status)
    const read = await client.get(pod, at, status)
    assert.equal(read.status.message, 'patched')
    assertHas(read.status.conditions?.find(({ type }) => type === 'TestCondition') ?? {}, condition)
  },

  async 'pod-update-label'(context) {
    const { client, namespace } = context
    const value = context.unique('value')
    const at = { name: 'labelled', namespace }
    const list = async (which: string) => uids((await client.list(pod, { namespace, labelSelector: `which=${which}` })).items)
    const made = await client.create(pod, { metadata: { ...at, labels: { which: value } }, spec: podSpec() })
    assert.deepEqual(await list(value), uids([made]))
    await updateObject(context, pod, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, which: `${value}-next` }
    })
    assert.deepEqual(await list(`${value}-next`), uids([made]))
    assert.deepEqual(await list(value), [])
  },

  async 'sysctl-reject-invalid'({ client, namespace }) {
    const sysctls = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..'].map((name) => ({ name, value: '1' }))
    const spec = podSpec({ securityContext: { sysctls } })
    const message = await assertRefused(client.create(pod, { metadata: { name: 'sysctls', namespace }, spec }), 'Invalid')
    for (const name of ['foo-', 'bar..']) assert.ok(message.includes(`Invalid value: "${name}"`), message)
    assert.ok(!message.includes('kernel.shmmax'), message)
  },

  async 'csi-inline-volume-pod-api'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const driver = context.unique('driver')
    context.afterwards(() => client.delete(csiDriver, { name: driver }))
    await client.create(csiDriver, { metadata: { name: driver }, spec: { volumeLifecycleModes: ['Ephemeral'] } })
    const at = { name: 'inline', namespace }
    const volumes = [{ name: 'volume', csi: { driver, volumeAttributes: { key: 'value' } } }]
    const containers = [containerOf({ volumeMounts: [{ name: 'volume', mountPath: '/volume' }] })]
    const made = await client.create(pod, { metadata: { ...at, labels }, spec: podSpec({ volumes, containers }) })
    assertHas((await client.get(pod, at)).spec.volumes?.find(({ name }) => name === 'volume') ?? {}, volumes[0] ?? {})
    assert.deepEqual(uids((await client.list(pod, { labelSelector: selector })).items), uids([made]))
    await client.patch(pod, at, { type: 'strategic', body: { metadata: { labels: { patched: 'true' } } } })
    assert.equal((await client.get(pod, at)).metadata.labels?.['patched'], 'true')
    await client.delete(pod, at, { gracePeriodSeconds: 0 })
    await untilGone(context, pod, at)
  },

  'runtimeclass-api': wholeApi({ kind: runtimeClass, draft: () => ({ handler: 'conformance' }) }),

  async 'runtimeclass-nonexistent-rejected'({ client, namespace, unique }) {
    const spec = podSpec({ runtimeClassName: unique('never') })
    await assertRefused(client.create(pod, { metadata: { name: 'refused', namespace }, spec }), 'Forbidden')
  },

  async 'runtimeclass-deleted-rejected'(context) {
    const { client, namespace, signal } = context
    const at = { name: context.unique('deleted') }
    await client.create(runtimeClass, { metadata: at, handler: 'conformance' })
    const spec = podSpec({ runtimeClassName: at.name })
    await eventually(signal, 'a pod may name it', () => client.create(pod, { metadata: { name: 'accepted', namespace }, spec }))
    await client.delete(runtimeClass, at)
    await untilGone(context, runtimeClass, at)
    await assertRefused(client.create(pod, { metadata: { name: 'refused', namespace }, spec }), 'Forbidden')
  },
}
