import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { job, pod, podDisruptionBudget, replicationController } from '../../api/kinds.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/policy/v1/types.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = { name: 'one', namespace: 'default' }
const labels = { app: 'web' }

async function running(ready: 'True' | 'False' = 'True'): Promise<Pod> {
  await test.client.create(pod, { metadata: { ...at, labels }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  const body = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] } }
  return test.client.patch(pod, at, { type: 'strategic', body }, { subresource: 'status' })
}

async function budget(
  status: Partial<PodDisruptionBudgetStatus>,
  spec: Draft<PodDisruptionBudget['spec']> = {},
  name = 'budget',
): Promise<void> {
  const place = { name, namespace: 'default' }
  await test.client.create(podDisruptionBudget, { metadata: place, spec: { minAvailable: 2, selector: { matchLabels: labels }, ...spec } })
  const counted = { observedGeneration: 1, currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3, ...status }
  await test.client.patch(podDisruptionBudget, place, { type: 'merge', body: { status: counted } }, { subresource: 'status' })
}

const path = '/api/v1/namespaces/default/pods/one/eviction'
const evict = (more: object = {}, query = '') =>
  send(test.client, 'POST', `${path}${query}`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at, ...more })
const left = () => test.client.get(pod, at).catch(() => null)
const statusOf = async () => (await test.client.get(podDisruptionBudget, { name: 'budget', namespace: 'default' })).status

describe('an eviction', () => {
  it('may come in the version that old clients drain with', async () => {
    await running()
    expect((await evict({ apiVersion: 'policy/v1beta1' })).status).toBe(201)
  })

  it('is of its own group', async () => {
    expect((await evict({ apiVersion: 'apps/v1beta1' })).status).toBe(400)
  })

  it('ends the pod and says in it why', async () => {
    await running()
    const { status, json } = await evict()
    expect([status, json['status']]).toEqual([201, 'Success'])
    const { metadata, status: state } = (await left()) ?? {}
    expect(metadata?.deletionGracePeriodSeconds).toBe(30)
    expect(state?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    )
  })

  it('takes one disruption from the budget, and none when there is none', async () => {
    await running()
    await budget({})
    await evict()
    expect(await statusOf()).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { one: '2026-01-01T00:00:00Z' },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    })
  })

  it('is refused as too much when the budget allows none', async () => {
    await running()
    await budget({ disruptionsAllowed: 0, currentHealthy: 2 })
    const { status, json } = await evict()
    expect([status, json['reason'], json['message']]).toEqual([
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
    ])
    const message = 'The disruption budget budget needs 2 healthy pods and has 2 currently'
    expect(json['details']).toEqual({ causes: [{ reason: 'DisruptionBudget', message }] })
    expect((await left())?.metadata.deletionTimestamp).toBeUndefined()
    expect((await left())?.status.conditions).toHaveLength(1)
  })

  it('is put off while the budget was not counted again', async () => {
    await running()
    await budget({ observedGeneration: 0 })
    const { status, headers, json } = await evict()
    expect([status, headers['retry-after']]).toEqual([429, '10'])
    expect(JSON.stringify(json['details'])).toContain('The disruption budget budget is still being processed by the server.')
  })

  it.each<
    [what: string, ready: 'True' | 'False', status: Partial<PodDisruptionBudgetStatus>, policy: 'AlwaysAllow' | undefined, code: number]
  >([
    ['that is ready', 'True', { disruptionsAllowed: 0 }, 'AlwaysAllow', 429],
    ['that is not ready, where enough are', 'False', { disruptionsAllowed: 0 }, undefined, 201],
    ['that is not ready, where too few are', 'False', { disruptionsAllowed: 0, currentHealthy: 1 }, undefined, 429],
    ['that is not ready, where such may always go', 'False', { disruptionsAllowed: 0, currentHealthy: 1 }, 'AlwaysAllow', 201],
  ])('of a pod %s', async (_, ready, status, policy, code) => {
    await running(ready)
    await budget(status, policy ? { unhealthyPodEvictionPolicy: policy } : {})
    expect((await evict()).status).toBe(code)
  })

  it('of a pod that never ran asks no budget', async () => {
    await test.client.create(pod, { metadata: { ...at, labels }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await budget({ disruptionsAllowed: 0 })
    expect((await evict()).status).toBe(201)
    expect(await left()).toBeNull()
  })

  it('does not know what to do with two budgets', async () => {
    await running()
    await budget({})
    await budget({}, {}, 'other')
    const { status, json } = await evict()
    expect([status, json['message']]).toEqual([
      500,
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    ])
  })

  it.each([
    ['in the query', {}, '?dryRun=All'],
    ['in its options', { deleteOptions: { dryRun: ['All'] } }, ''],
  ])('that is a dry run %s changes nothing', async (_, more, query) => {
    const before = await running()
    await budget({})
    expect((await evict(more, query)).status).toBe(201)
    expect(await left()).toEqual(before)
    expect((await statusOf()).disruptionsAllowed).toBe(1)
    expect((await statusOf()).disruptedPods).toBeUndefined()
  })

  it('means the pod that the client saw', async () => {
    const { metadata } = await running()
    const { status, json } = await evict({ deleteOptions: { preconditions: { uid: 'another' } } })
    expect([status, json['reason']]).toEqual([409, 'Conflict'])
    expect((await evict({ deleteOptions: { preconditions: { uid: metadata.uid, resourceVersion: '1' } } })).status).toBe(409)
    const { resourceVersion } = metadata
    expect((await evict({ deleteOptions: { preconditions: { uid: metadata.uid, resourceVersion } } })).status).toBe(201)
  })
})

describe('deletes that do not say what becomes of dependents', () => {
  const template = { metadata: { labels }, spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } }
  const place = { name: 'owner', namespace: 'default' }

  it('leave the pods of a Job, and say so', async () => {
    await test.client.create(job, { metadata: place, spec: { template } })
    const { headers, json } = await send(test.client, 'DELETE', '/apis/batch/v1/namespaces/default/jobs/owner')
    expect(headers['warning']).toContain('child pods are preserved by default when jobs are deleted')
    expect((json['metadata'] as { finalizers: string[] }).finalizers).toContain('orphan')
  })

  it('leave the pods of a ReplicationController', async () => {
    const running = { ...template, spec: { containers: template.spec.containers } }
    await test.client.create(replicationController, { metadata: place, spec: { template: running } })
    const marked = await test.client.delete(replicationController, place)
    expect(marked?.metadata.finalizers).toEqual(['orphan'])
    const gone = await test.client.delete(replicationController, place, { propagationPolicy: 'Background' })
    expect(gone?.metadata.finalizers ?? []).toEqual([])
  })
})
