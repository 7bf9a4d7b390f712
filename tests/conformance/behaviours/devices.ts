/** The kinds of resource.k8s.io, without a driver. */
import assert from 'node:assert/strict'
import { deviceClass, resourceClaim, resourceClaimTemplate, resourceSlice } from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { ignoreMissing, type Behaviour, type Behaviours } from '../lib/behaviour.ts'
import { assertHas, mark, uids, untilGone, updateObject } from '../lib/whole-api.ts'

/** Create, update, list, patch and delete, each with its effect. */
function crud<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>): Behaviour {
  return async (context) => {
    const { client } = context
    const { labels, selector } = mark(context)
    const scope = kind.namespaced ? { namespace: context.namespace } : {}
    const at = { ...scope, name: context.unique('device') }
    context.afterwards(() => client.delete(kind, at).catch(ignoreMissing))
    const made = await client.create(kind, { ...draft, metadata: { ...at, labels } })
    assertHas(made, draft)
    await updateObject(context, kind, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' }
    })
    assertHas(await client.get(kind, at), { ...draft, metadata: { labels: { ...labels, updated: 'true' } } })
    assert.deepEqual(uids((await client.list(kind, { ...scope, labelSelector: `${selector},updated=true` })).items), uids([made]))
    await client.patch(kind, at, { type: 'merge', body: { metadata: { labels: { patched: 'true' } } } })
    assertHas(await client.get(kind, at), { ...draft, metadata: { labels: { ...labels, updated: 'true', patched: 'true' } } })
    await client.delete(kind, at)
    await untilGone(context, kind, at)
  }
}

const spec = { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'none.example.com' } }] } }

export const behaviours: Behaviours = {
  'dra-deviceclass-crud': crud(deviceClass, { spec: { selectors: [{ cel: { expression: 'device.driver == "none.example.com"' } }] } }),
  'dra-resourceclaim-crud': crud(resourceClaim, { spec }),
  'dra-resourceclaimtemplate-crud': crud(resourceClaimTemplate, { spec: { spec } }),
  'dra-resourceslice-crud': crud(resourceSlice, {
    spec: {
      driver: 'none.example.com',
      nodeName: 'none',
      pool: { name: 'none', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'device-0' }],
    },
  }),
}
