/** ConfigMap, Secret, PodTemplate, LimitRange, Lease, Endpoints and Service: objects that need no controller. */
import assert from 'node:assert/strict'
import { configMap, lease, limitRange, podTemplate, secret } from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { ConfigMap, Secret } from '../../../electron/api/core/v1/types.gen.ts'
import type { Behaviour, Behaviours } from '../lib/behaviour.ts'
import { podTemplateSpec } from '../lib/objects.ts'
import { assertHas, assertRefused, mark, uids, untilGone, updateObject } from '../lib/whole-api.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** `value` makes data's values of text. */
function immutable(kind: Kind<ConfigMap> | Kind<Secret>, value: (text: string) => string): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const typed = kind as Kind<ConfigMap>
    const at = { name: context.unique('fixed'), namespace }
    const setData = (text: string) => updateObject(context, typed, at, (object) => void (object.data = { key: value(text) }))
    await client.create(typed, { metadata: at, data: { key: value('first') } })
    await setData('second')
    assert.deepEqual((await client.get(typed, at)).data, { key: value('second') })

    await updateObject(context, typed, at, (object) => void (object.immutable = true))
    await assertRefused(setData('third'), 'Invalid')
    await assertRefused(
      updateObject(context, typed, at, (object) => void (object.immutable = false)),
      'Invalid',
    )
    await assertRefused(
      updateObject(context, typed, at, (object) => void delete object.immutable),
      'Invalid',
    )
    await updateObject(context, typed, at, ({ metadata }) => void (metadata.labels = { changed: 'true' }))
    assertHas(await client.get(typed, at), { metadata: { labels: { changed: 'true' } }, immutable: true, data: { key: value('second') } })
    await client.delete(typed, at)
    await untilGone(context, typed, at)
  }
}

function emptyKey(kind: Kind<ConfigMap> | Kind<Secret>, value: string): Behaviour {
  return async ({ client, namespace, unique }) => {
    const object = { metadata: { name: unique('empty-key'), namespace }, data: { '': value } }
    await assertRefused(client.create(kind, object), 'Invalid')
  }
}

export const behaviours: Behaviours = {
  'configmap-empty-key': emptyKey(configMap, 'value'),
  'secret-empty-key': emptyKey(secret, base64('value')),
  'configmap-immutable': immutable(configMap, (text) => text),
  'secret-immutable': immutable(secret, base64),

  async 'configmap-update'(context) {
    const { client, namespace } = context
    const at = { name: context.unique('changed'), namespace }
    await client.create(configMap, { metadata: at, data: { key: 'first' } })
    await updateObject(context, configMap, at, (object) => void (object.data = { key: 'second', more: 'yes' }))
    assert.deepEqual((await client.get(configMap, at)).data, { key: 'second', more: 'yes' })
  },

  async 'configmap-lifecycle'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('config'), namespace }
    await client.create(configMap, { metadata: { ...at, labels }, data: { key: 'first' } })
    await client.patch(configMap, at, { type: 'merge', body: { data: { key: 'patched' } } })
    assert.deepEqual((await client.get(configMap, at)).data, { key: 'patched' })
    const everywhere = await client.list(configMap, { labelSelector: selector })
    assert.deepEqual(
      everywhere.items.map(({ metadata, data }) => [metadata.name, data]),
      [[at.name, { key: 'patched' }]],
    )
    await client.deleteCollection(configMap, { namespace, labelSelector: selector })
    assert.deepEqual((await client.list(configMap, { labelSelector: selector })).items, [])
  },

  async 'secret-patch'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('secret'), namespace }
    const made = await client.create(secret, { metadata: { ...at, labels }, data: { key: base64('first') }, type: 'Opaque' })
    assert.deepEqual(uids((await client.list(secret, { labelSelector: selector })).items), uids([made]))
    const body = { metadata: { labels: { patched: 'true' } }, data: { key: base64('second') } }
    await client.patch(secret, at, { type: 'strategic', body })
    assertHas(await client.get(secret, at), { metadata: { labels: { ...labels, patched: 'true' } }, data: { key: base64('second') } })
    await client.deleteCollection(secret, { namespace, labelSelector: 'patched=true' })
    assert.deepEqual((await client.list(secret, { labelSelector: selector })).items, [])
  },

  async 'podtemplate-lifecycle'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('template'), namespace }
    await client.create(podTemplate, { metadata: { ...at, labels }, template: podTemplateSpec({ app: 'a' }) })
    await client.patch(podTemplate, at, { type: 'strategic', body: { metadata: { labels: { patched: 'true' } } } })
    assert.equal((await client.get(podTemplate, at)).metadata.labels?.['patched'], 'true')
    const found = (await client.list(podTemplate, { labelSelector: `${selector},patched=true` })).items
    assert.deepEqual(
      found.map(({ metadata }) => [metadata.name, metadata.labels?.['patched']]),
      [[at.name, 'true']],
    )
    await client.delete(podTemplate, at)
    await untilGone(context, podTemplate, at)
  },

  async 'podtemplate-deletecollection'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const names = [1, 2, 3].map((i) => `template-${i}`)
    for (const name of names) {
      await client.create(podTemplate, { metadata: { name, namespace, labels }, template: podTemplateSpec({ app: 'a' }) })
    }
    const list = async () => (await client.list(podTemplate, { namespace, labelSelector: selector })).items
    assert.deepEqual(
      (await list()).map(({ metadata }) => metadata.name),
      names,
    )
    await client.deleteCollection(podTemplate, { namespace, labelSelector: selector })
    assert.deepEqual(await list(), [])
  },

  async 'podtemplate-replace'(context) {
    const { client, namespace } = context
    const at = { name: context.unique('template'), namespace }
    await client.create(podTemplate, { metadata: at, template: podTemplateSpec({ app: 'a' }) })
    const replaced = await updateObject(context, podTemplate, at, ({ metadata }) => void (metadata.annotations = { replaced: 'true' }))
    assert.equal(replaced.metadata.annotations?.['replaced'], 'true')
  },

  async 'limitrange-list-patch-deletecollection'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const other = await context.anotherNamespace()
    const name = context.unique('limits')
    const limits = (min: string) => [{ type: 'Container', min: { cpu: min } }]
    for (const inside of [namespace, other]) {
      await client.create(limitRange, { metadata: { name, namespace: inside, labels }, spec: { limits: limits('50m') } })
    }
    const where = async () => {
      const { items } = await client.list(limitRange, { labelSelector: selector })
      return new Set(items.map(({ metadata }) => metadata.namespace))
    }
    assert.deepEqual(await where(), new Set([namespace, other]))
    const body = { metadata: { labels: { patched: 'true' } }, spec: { limits: limits('40m') } }
    await client.patch(limitRange, { name, namespace }, { type: 'strategic', body })
    assertHas(await client.get(limitRange, { name, namespace }), {
      metadata: { labels: { patched: 'true' } },
      spec: { limits: [{ min: { cpu: '40m' } }] },
    })
    await client.deleteCollection(limitRange, { namespace, labelSelector: 'patched=true' })
    assert.deepEqual(await where(), new Set([other]))
  },

  async 'lease-api'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const at = { name: 'kept', namespace }
    const spec = {
      holderIdentity: 'holder',
      leaseDurationSeconds: 30,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
      leaseTransitions: 0,
    }
    await client.create(lease, { metadata: at, spec })
    assert.deepEqual((await client.get(lease, at)).spec, spec)

    const next = {
      ...spec,
      holderIdentity: 'another',
      leaseDurationSeconds: 15,
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 1,
    }
    await updateObject(context, lease, at, (object) => void (object.spec = next))
    assert.deepEqual((await client.get(lease, at)).spec, next)

    const body = { spec: { holderIdentity: 'third', leaseTransitions: 2 } }
    await client.patch(lease, at, { type: 'strategic', body })
    assert.deepEqual((await client.get(lease, at)).spec, { ...next, ...body.spec })

    await client.create(lease, { metadata: { name: 'labelled', namespace, labels }, spec })
    const names = async () => (await client.list(lease, { namespace })).items.map(({ metadata }) => metadata.name)
    assert.deepEqual(await names(), ['kept', 'labelled'])
    await client.deleteCollection(lease, { namespace, labelSelector: selector })
    assert.deepEqual(await names(), ['kept'])
    await client.delete(lease, at)
    await assertRefused(client.get(lease, at), 'NotFound')
  },
}
