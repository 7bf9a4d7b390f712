/** Events of both groups. */
import assert from 'node:assert/strict'
import { event, eventsEvent } from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Behaviour, BehaviourContext, Behaviours } from '../lib/behaviour.ts'
import { assertHas, mark, uids, updateObject } from '../lib/whole-api.ts'

const NOW = '2026-01-01T00:00:00.000000Z'
const series = { count: 100, lastObservedTime: NOW }

const coreDraft = ({ namespace }: BehaviourContext, name: string, labels: Record<string, string>) => ({
  metadata: { name, namespace, labels },
  message: 'first',
  reason: 'Test',
  type: 'Normal',
  count: 1,
  involvedObject: { namespace },
})

const newDraft = ({ namespace }: BehaviourContext, name: string, labels: Record<string, string>) => ({
  metadata: { name, namespace, labels },
  note: 'first',
  reason: 'Test',
  type: 'Normal',
  action: 'Do',
  eventTime: NOW,
  reportingController: 'example.com/controller',
  reportingInstance: 'instance',
  regarding: { namespace },
})

/** `text` is the field that says what happened. */
function lifecycle<T extends KubeObject & { series?: object }>(
  kind: Kind<T>,
  draft: (context: BehaviourContext, name: string, labels: Record<string, string>) => object,
  text: 'message' | 'note',
  patchText: (context: BehaviourContext, at: { name: string; namespace: string }) => Promise<unknown> = ({ client }, at) =>
    client.patch(kind, at, { type: 'strategic', body: { [text]: 'patched' } }),
): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('event'), namespace }
    const made = await client.create(kind, draft(context, at.name, labels) as Draft<T>)
    const lists = async () => [
      await client.list(kind, { labelSelector: selector }),
      await client.list(kind, { namespace, labelSelector: selector }),
    ]
    for (const { items } of await lists()) assert.deepEqual(uids(items), uids([made]))
    await patchText(context, at)
    assertHas(await client.get(kind, at), { [text]: 'patched' })
    await updateObject(context, kind, at, (object) => void (object.series = series))
    assertHas(await client.get(kind, at), { [text]: 'patched', series })
    await client.delete(kind, at)
    for (const { items } of await lists()) assert.deepEqual(items, [])
  }
}

function deleteCollection<T extends KubeObject>(
  kind: Kind<T>,
  draft: (context: BehaviourContext, name: string, labels: Record<string, string>) => object,
): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const made: T[] = []
    for (const name of ['one', 'two', 'three']) made.push(await client.create(kind, draft(context, name, labels) as Draft<T>))
    const list = async () => (await client.list(kind, { namespace, labelSelector: selector })).items
    assert.deepEqual(new Set(uids(await list())), new Set(uids(made)))
    await client.deleteCollection(kind, { namespace, labelSelector: selector })
    assert.deepEqual(await list(), [])
  }
}

export const behaviours: Behaviours = {
  'core-events-lifecycle': lifecycle(event, coreDraft, 'message'),
  'core-events-deletecollection': deleteCollection(event, coreDraft),
  'events-v1-lifecycle': lifecycle(eventsEvent, newDraft, 'note', async ({ client }, at) => {
    // Kubernetes lets the newer API patch a series only; the same object's text is patched as a core Event.
    const first = { ...series, count: 2 }
    await client.patch(eventsEvent, at, { type: 'strategic', body: { series: first } })
    assertHas(await client.get(eventsEvent, at), { series: first })
    await client.patch(event, at, { type: 'strategic', body: { message: 'patched' } })
  }),
  'events-v1-deletecollection': deleteCollection(eventsEvent, newDraft),
}
