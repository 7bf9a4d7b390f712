import { describe, expect, it } from 'vitest'
import { namespace as namespaceKind } from '../api/core/v1/namespace.ts'
import { node as nodeKind } from '../api/core/v1/node.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import type { PodSpec } from '../api/core/v1/types.gen.ts'
import { placementReview } from '../api/infra/v1alpha1/placement-review.ts'
import type { Draft } from '../api/meta/v1/object.ts'
import { startTestServer } from '../apiserver/testing/harness.ts'
import { settle } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { seededRandom } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import { Placements } from './placements.ts'

const namespace = 'test'

async function start() {
  const stack = new AsyncDisposableStack()
  const placements = new Placements()
  let inside: Client | null = null
  const responders = placements.responders(() => inside as Client)
  const { client, clock } = stack.use(await startTestServer({ responders }))
  inside = client
  await client.create(namespaceKind, { metadata: { name: namespace } })
  const scheduler = stack.use(createScheduler({ client, clock, random: seededRandom(1), logger: silentLogger }))
  return {
    client,
    async startScheduler() {
      placements.from(scheduler)
      await scheduler.start()
    },
    async addNode(name: string, cpu: string, taint?: string) {
      const capacity = { cpu, memory: '8Gi', pods: '10' }
      const made = await client.create(nodeKind, { metadata: { name } })
      const taints = taint ? [{ key: taint, effect: 'NoSchedule' as const }] : []
      const ready = await client.update(nodeKind, { ...made, spec: { taints } })
      await client.update(nodeKind, { ...ready, status: { ...ready.status, capacity, allocatable: capacity } }, { subresource: 'status' })
    },
    async addPod(name: string, cpu: string, spec: Draft<PodSpec> = {}) {
      const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu } } }]
      await client.create(podKind, { metadata: { namespace, name }, spec: { containers, ...spec } })
      await settle(60)
    },
    review: async (podName: string, limit?: number) =>
      (await client.create(placementReview, { metadata: { namespace }, spec: { podName, ...(limit === undefined ? {} : { limit }) } }))
        .status,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

describe('placement reviews', () => {
  it('say of each node what every filter says, now and at the last attempt', async () => {
    await using world = await start()
    await world.startScheduler()
    await world.addNode('small', '1')
    await world.addNode('tainted', '8', 'example.com/own')
    await world.addPod('large', '4')
    const status = await world.review('large')
    expect(status.totalNodes).toBe(2)
    expect(status.lastAttempt).toMatchObject({
      outcome: 'Refused',
      attempt: 1,
      message: expect.stringContaining('0/2 nodes are available') as string,
    })
    const small = status.nodes?.find(({ name }) => name === 'small')
    expect(small?.fits).toBe(false)
    expect(small?.filters?.find(({ plugin }) => plugin === 'NodeResourcesFit')).toEqual({
      plugin: 'NodeResourcesFit',
      verdict: 'Refused',
      resolvable: false,
      reasons: ['Insufficient cpu'],
      evidence: [{ type: 'resource', resource: 'cpu', requested: 4000, used: 0, allocatable: 1000, free: 1000, short: 3000 }],
    })
    expect(small?.filters?.find(({ plugin }) => plugin === 'TaintToleration')?.verdict).toBe('Passed')
    const refusals = status.lastAttempt?.nodes?.map(({ name, refusal }) => [name, refusal?.plugin])
    expect(refusals?.toSorted()).toEqual([
      ['small', 'NodeResourcesFit'],
      ['tainted', 'TaintToleration'],
    ])
    expect((await world.review('large', 1)).nodes).toHaveLength(1)
  })

  it('say what keeps a pod from being tried at all', async () => {
    await using world = await start()
    await world.startScheduler()
    await world.addNode('only', '4')
    await world.addPod('gated', '1', { schedulingGates: [{ name: 'example.com/hold' }] })
    const held = await world.review('gated')
    expect(held.lastAttempt?.outcome).toBe('HeldBack')
    expect(held.message).toContain('example.com/hold')
    expect(held.nodes?.map(({ fits }) => fits)).toEqual([false])
  })

  it('say where a pod is, and of whom else it waits for', async () => {
    await using world = await start()
    await expect(world.review('any')).rejects.toMatchObject({ code: 503 })
    await world.startScheduler()
    await world.addNode('only', '4')
    await world.addPod('placed', '1')
    expect(await world.review('placed')).toEqual({ nodeName: 'only', message: 'the pod is on only' })
    await world.addPod('other', '1', { schedulerName: 'elsewhere' })
    expect((await world.review('other')).message).toContain('elsewhere')
    await expect(world.review('missing')).rejects.toMatchObject({ code: 404 })
    await expect(world.review('')).rejects.toMatchObject({ code: 422 })
  })
})
