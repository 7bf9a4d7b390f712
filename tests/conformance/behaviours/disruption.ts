/** PodDisruptionBudget. */
import assert from 'node:assert/strict'
import { pod, podDisruptionBudget } from '../../../electron/api/kinds.gen.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podSpec } from '../lib/objects.ts'
import { assertHas, mark, untilGone, updateObject } from '../lib/whole-api.ts'

const selector = { matchLabels: { app: 'none' } }

const create = ({ client }: BehaviourContext, namespace: string, labels: Record<string, string> = {}) =>
  client.create(podDisruptionBudget, { metadata: { name: 'budget', namespace, labels }, spec: { minAvailable: 1, selector } })

export const behaviours: Behaviours = {
  async 'pdb-crud'(context) {
    const { client, namespace } = context
    const { metadata: at } = await create(context, namespace)
    assert.equal((await client.get(podDisruptionBudget, at)).spec.minAvailable, 1)
    await updateObject(context, podDisruptionBudget, at, ({ spec }) => void (spec.minAvailable = 2))
    assert.equal((await client.get(podDisruptionBudget, at)).spec.minAvailable, 2)
    await client.patch(podDisruptionBudget, at, { type: 'strategic', body: { spec: { minAvailable: '50%' } } })
    assert.equal((await client.get(podDisruptionBudget, at)).spec.minAvailable, '50%')
    await client.delete(podDisruptionBudget, at)
    await untilGone(context, podDisruptionBudget, at)
  },

  async 'pdb-list-deletecollection'(context) {
    const { client, namespace, signal } = context
    const { labels, selector: ours } = mark(context)
    const other = await context.anotherNamespace()
    for (const inside of [namespace, other]) await create(context, inside, labels)
    const where = async () => {
      const { items } = await client.list(podDisruptionBudget, { labelSelector: ours })
      return new Set(items.map(({ metadata }) => metadata.namespace))
    }
    assert.deepEqual(await where(), new Set([namespace, other]))
    await client.deleteCollection(podDisruptionBudget, { namespace, labelSelector: ours })
    await eventually(signal, 'that of the namespace is gone', async () => (await where()).size === 1)
    assert.deepEqual(await where(), new Set([other]))
  },

  async 'pdb-status'(context) {
    const { client, namespace } = context
    // Of pods that are not there the controller forgets that they are to go.
    for (const name of ['updated', 'patched'])
      await client.create(pod, { metadata: { name, namespace, labels: selector.matchLabels }, spec: podSpec() })
    const { metadata: at } = await create(context, namespace)
    const status = { subresource: 'status' }
    const stored = async () => (await client.get(podDisruptionBudget, at, status)).status.disruptedPods ?? {}
    const soon = () => new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, 'Z')
    const [first, second] = [soon(), soon()]
    await updateObject(context, podDisruptionBudget, at, (object) => void (object.status.disruptedPods = { updated: first }), 'status')
    assertHas(await stored(), { updated: first })
    const body = { status: { disruptedPods: { patched: second } } }
    await client.patch(podDisruptionBudget, at, { type: 'merge', body }, status)
    assertHas(await stored(), { updated: first, patched: second })
  },
}
