/** ResourceQuota, LimitRange and PriorityClass. */
import assert from 'node:assert/strict'
import {
  configMap,
  limitRange,
  pod,
  priorityClass,
  replicaSet,
  replicationController,
  resourceQuota,
  secret,
  service,
} from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { LimitRangeItem, ResourceQuotaSpec, ResourceRequirements } from '../../../electron/api/core/v1/types.gen.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { containerOf, podSpec, podTemplateSpec, workloadSpec } from '../lib/objects.ts'
import { assertHas, assertRefused, mark, uids, untilGone, updateObject } from '../lib/whole-api.ts'

const QUOTA = 'quota'

const createQuota = ({ client, namespace }: BehaviourContext, spec: Draft<ResourceQuotaSpec>, name = QUOTA) =>
  client.create(resourceQuota, { metadata: { name, namespace }, spec })

/** Waits until the quota's status says what it allows and that exactly so much is used. */
async function used(context: BehaviourContext, wanted: Record<string, string>, name = QUOTA): Promise<void> {
  const { client, namespace, signal } = context
  await eventually(signal, `${name} counts ${JSON.stringify(wanted)}`, async () => {
    const { spec, status } = await client.get(resourceQuota, { name, namespace })
    assert.deepEqual(status.hard, spec.hard)
    assertHas(status.used ?? {}, wanted)
    return true
  })
}

/** Under a quota on one resource: one more while an object is there, and as before without it. */
function counted<T extends KubeObject>(
  resource: string,
  kind: Kind<T>,
  draft: Draft<T>,
  /** What the namespace holds before. */
  present: (context: BehaviourContext) => Promise<number> = async () => 0,
): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const before = await present(context)
    await createQuota(context, { hard: { resourcequotas: '1', [resource]: '5' } })
    await used(context, { resourcequotas: '1', [resource]: String(before) })
    const { metadata } = await client.create(kind, { ...draft, metadata: { name: 'counted', namespace } })
    await used(context, { resourcequotas: '1', [resource]: String(before + 1) })
    await client.delete(kind, metadata)
    await used(context, { resourcequotas: '1', [resource]: String(before) })
  }
}

const podWith = (name: string, namespace: string, resources: Draft<ResourceRequirements>, more: object = {}) => ({
  metadata: { name, namespace },
  spec: podSpec({ containers: [containerOf({ resources })], ...more }),
})

const REQUESTS = { requests: { cpu: '500m', memory: '252Mi' }, limits: { cpu: '500m', memory: '252Mi' } }

/** Of two quotas with opposite scopes, each pod counts in one and not in the other. */
function scopes(
  names: readonly [string, string],
  hard: readonly [Record<string, string>, Record<string, string>],
  pods: readonly [Draft<ResourceRequirements>, Draft<ResourceRequirements>],
  more: readonly [object, object],
  usage: readonly [Record<string, string>, Record<string, string>],
): Behaviour {
  return async (context) => {
    const { client, namespace } = context
    const zero = (which: 0 | 1) => Object.fromEntries(Object.keys(usage[which]).map((name) => [name, '0']))
    for (const i of [0, 1] as const) {
      await createQuota(context, { hard: hard[i], scopes: [names[i]] as ResourceQuotaSpec['scopes'] & object }, names[i].toLowerCase())
    }
    const both = async (first: Record<string, string>, second: Record<string, string>) => {
      await used(context, first, names[0].toLowerCase())
      await used(context, second, names[1].toLowerCase())
    }
    await both(zero(0), zero(1))
    for (const i of [0, 1] as const) {
      await client.create(pod, podWith('counted', namespace, pods[i], more[i]))
      await both(i === 0 ? usage[0] : zero(0), i === 1 ? usage[1] : zero(1))
      await client.delete(pod, { name: 'counted', namespace }, { gracePeriodSeconds: 0 })
      await both(zero(0), zero(1))
    }
  }
}

const CPU_AND_MEMORY = { cpu: '1', memory: '500Mi' }

export const behaviours: Behaviours = {
  'resourcequota-configmap': counted('configmaps', configMap, { data: { key: 'value' } }, async ({ client, namespace, signal }) =>
    eventually(signal, 'kube-root-ca.crt is there', async () => (await client.list(configMap, { namespace })).items.length || null),
  ),
  'resourcequota-secret': counted(
    'secrets',
    secret,
    { data: {} },
    async ({ client, namespace }) => (await client.list(secret, { namespace })).items.length,
  ),
  'resourcequota-service': counted('services', service, { spec: { ports: [{ port: 80 }], selector: { app: 'a' } } }),
  'resourcequota-replicationcontroller': counted('replicationcontrollers', replicationController, {
    spec: { replicas: 0, selector: { app: 'a' }, template: podTemplateSpec({ app: 'a' }) },
  }),
  'resourcequota-replicaset': counted('count/replicasets.apps', replicaSet, { spec: { replicas: 0, ...workloadSpec({ app: 'a' }) } }),

  async 'resourcequota-status-calculated'(context) {
    const { client, namespace } = context
    await client.create(service, { metadata: { name: 'one', namespace }, spec: { ports: [{ port: 80 }] } })
    await createQuota(context, { hard: { resourcequotas: '1', services: '3', pods: '5', replicationcontrollers: '2', cpu: '1' } })
    await used(context, { resourcequotas: '1', services: '1', pods: '0', replicationcontrollers: '0', cpu: '0' })
  },

  async 'resourcequota-pod'(context) {
    const { client, namespace } = context
    const hard = {
      pods: '5',
      cpu: '1',
      memory: '500Mi',
      'requests.ephemeral-storage': '50Gi',
      'requests.example.com/dongle': '3',
    }
    await createQuota(context, { hard })
    const none = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']))
    await used(context, none)
    const amounts = { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi' }
    const dongles = { 'example.com/dongle': '2' }
    await client.create(pod, podWith('first', namespace, { requests: { ...amounts, ...dongles }, limits: dongles }))
    const one = { pods: '1', cpu: '500m', memory: '252Mi', 'requests.ephemeral-storage': '30Gi', 'requests.example.com/dongle': '2' }
    await used(context, one)
    for (const [i, beyond] of [
      { requests: { ...amounts, cpu: '600m', memory: '100Mi', 'ephemeral-storage': '1Gi' } },
      { requests: { cpu: '100m', memory: '252Mi', 'ephemeral-storage': '1Gi' } },
      { requests: { cpu: '100m', memory: '100Mi', 'ephemeral-storage': '30Gi' } },
      { requests: { cpu: '100m', memory: '100Mi', 'ephemeral-storage': '1Gi', ...dongles }, limits: dongles },
    ].entries()) {
      await assertRefused(client.create(pod, podWith(`beyond-${i}`, namespace, beyond)), 'Forbidden')
    }
    const containers = [{ name: 'main', resources: { requests: { ...amounts, memory: '100Mi', cpu: '600m' } } }]
    await assertRefused(
      client.patch(pod, { name: 'first', namespace }, { type: 'strategic', body: { spec: { containers } } }),
      'Invalid',
      'Forbidden',
    )
    await used(context, one)
    await client.delete(pod, { name: 'first', namespace }, { gracePeriodSeconds: 0 })
    await used(context, none)
  },

  'resourcequota-scope-besteffort': scopes(
    ['BestEffort', 'NotBestEffort'],
    [{ pods: '5' }, { pods: '5' }],
    [{}, REQUESTS],
    [{}, {}],
    [{ pods: '1' }, { pods: '1' }],
  ),
  'resourcequota-scope-terminating': scopes(
    ['Terminating', 'NotTerminating'],
    [
      { pods: '5', 'requests.cpu': '1', 'requests.memory': '500Mi', 'limits.cpu': '2', 'limits.memory': '1Gi' },
      { pods: '5', 'requests.cpu': '1', 'requests.memory': '500Mi', 'limits.cpu': '2', 'limits.memory': '1Gi' },
    ],
    [REQUESTS, REQUESTS],
    [{ activeDeadlineSeconds: 3600 }, {}],
    [
      { pods: '1', 'requests.cpu': '500m', 'requests.memory': '252Mi', 'limits.cpu': '500m', 'limits.memory': '252Mi' },
      { pods: '1', 'requests.cpu': '500m', 'requests.memory': '252Mi', 'limits.cpu': '500m', 'limits.memory': '252Mi' },
    ],
  ),

  async 'resourcequota-lifecycle'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const at = { name: QUOTA, namespace }
    const made = await client.create(resourceQuota, { metadata: { ...at, labels }, spec: { hard: CPU_AND_MEMORY } })
    const list = async () => (await client.list(resourceQuota, { labelSelector: selector })).items
    assert.deepEqual(uids(await list()), uids([made]))
    const body = { metadata: { labels: { patched: 'true' } }, spec: { hard: { memory: '750Mi' } } }
    await client.patch(resourceQuota, at, { type: 'strategic', body })
    assertHas(await client.get(resourceQuota, at), { metadata: body.metadata, spec: { hard: { cpu: '1', memory: '750Mi' } } })
    await client.deleteCollection(resourceQuota, { namespace, labelSelector: `${selector},patched=true` })
    await eventually(signal, 'the list is empty', async () => (await list()).length === 0)
  },

  async 'resourcequota-update-delete'(context) {
    const { client, namespace } = context
    const at = { name: QUOTA, namespace }
    await createQuota(context, { hard: CPU_AND_MEMORY })
    assert.deepEqual((await client.get(resourceQuota, at)).spec.hard, CPU_AND_MEMORY)
    const more = { cpu: '2', memory: '1Gi' }
    await updateObject(context, resourceQuota, at, ({ spec }) => void (spec.hard = more))
    assert.deepEqual((await client.get(resourceQuota, at)).spec.hard, more)
    await client.delete(resourceQuota, at)
    await assertRefused(client.get(resourceQuota, at), 'NotFound')
  },

  async 'resourcequota-status'(context) {
    const { client, namespace, signal } = context
    const at = { name: QUOTA, namespace }
    const status = { subresource: 'status' }
    await createQuota(context, { hard: CPU_AND_MEMORY })
    await used(context, { cpu: '0', memory: '0' })
    // The controller puts the status right again, so what counts is the answer to each write.
    const updated = await updateObject(
      context,
      resourceQuota,
      at,
      (object) => {
        object.status.hard = { cpu: '3', memory: '3Gi' }
        object.spec.hard = { cpu: '9' }
      },
      'status',
    )
    assert.deepEqual([updated.status.hard, updated.spec.hard], [{ cpu: '3', memory: '3Gi' }, CPU_AND_MEMORY])
    const body = { status: { hard: { cpu: '4', memory: '4Gi' } }, spec: { hard: { cpu: '9' } } }
    const patched = await client.patch(resourceQuota, at, { type: 'merge', body }, status)
    assert.deepEqual([patched.status.hard, patched.spec.hard], [{ cpu: '4', memory: '4Gi' }, CPU_AND_MEMORY])

    const hard = { cpu: '5', memory: '5Gi' }
    await client.patch(resourceQuota, at, { type: 'merge', body: { spec: { hard } } })
    await eventually(signal, 'status.hard is what spec.hard is', async () => {
      const read = await client.get(resourceQuota, at, status)
      assert.deepEqual([read.status.hard, read.spec.hard], [hard, hard])
      return true
    })
  },

  async 'limitrange-defaults'(context) {
    const { client, namespace } = context
    const at = { name: 'limits', namespace }
    const limits: LimitRangeItem = {
      type: 'Container',
      min: { cpu: '50m', memory: '100Mi', 'ephemeral-storage': '100Gi' },
      max: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
      default: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
      defaultRequest: { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' },
    }
    await client.create(limitRange, { metadata: at, spec: { limits: [limits] } })
    const resourcesOf = async (name: string, resources: Draft<ResourceRequirements>) =>
      (await client.create(pod, podWith(name, namespace, resources))).spec.containers[0]?.resources ?? {}
    assertHas(await resourcesOf('without', {}), { requests: limits.defaultRequest, limits: limits.default })
    const partial = { requests: { cpu: '150m', memory: '150Mi', 'ephemeral-storage': '150Gi' }, limits: { cpu: '300m' } }
    assertHas(await resourcesOf('partial', partial), { requests: partial.requests, limits: { ...limits.default, cpu: '300m' } })
    const small = { requests: { cpu: '10m', memory: '50Mi', 'ephemeral-storage': '50Gi' } }
    await assertRefused(client.create(pod, podWith('small', namespace, small)), 'Forbidden')
    await assertRefused(client.create(pod, podWith('big', namespace, { limits: { cpu: '600m' } })), 'Forbidden')

    await updateObject(context, limitRange, at, ({ spec }) => {
      spec.limits = [{ ...limits, min: { cpu: '9m', memory: '49Mi', 'ephemeral-storage': '49Gi' } }]
    })
    assertHas(await resourcesOf('small', small), { requests: small.requests })
    await assertRefused(client.create(pod, podWith('big', namespace, { limits: { cpu: '600m' } })), 'Forbidden')
    await client.delete(limitRange, at)
    await untilGone(context, limitRange, at)
  },

  async 'priorityclass-endpoints'(context) {
    const { client } = context
    const { labels, selector } = mark(context)
    const names = [context.unique('one'), context.unique('two')]
    for (const [i, name] of names.entries()) {
      context.afterwards(() => client.delete(priorityClass, { name }))
      await client.create(priorityClass, { metadata: { name, labels }, value: 100 + i, description: 'first' })
    }
    const { items } = await client.list(priorityClass, { labelSelector: selector })
    assert.deepEqual(new Set(items.map(({ metadata }) => metadata.name)), new Set(names))
    const [name = ''] = names
    await client.patch(priorityClass, { name }, { type: 'merge', body: { description: 'patched' } })
    assert.equal((await client.get(priorityClass, { name })).description, 'patched')
    await updateObject(context, priorityClass, { name }, (object) => void (object.description = 'updated'))
    assert.equal((await client.get(priorityClass, { name })).description, 'updated')
    await assertRefused(client.patch(priorityClass, { name }, { type: 'merge', body: { value: 7 } }), 'Invalid')
    await assertRefused(
      updateObject(context, priorityClass, { name }, (object) => void (object.value = 7)),
      'Invalid',
    )
    assert.equal((await client.get(priorityClass, { name })).value, 100)
  },
}
