import { describe, expect, it } from 'vitest'
import { lease as leaseKind } from '../../electron/api/coordination/v1/lease.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import type { Pod, PodSpec } from '../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { startTestServer } from '../../electron/apiserver/testing/harness.ts'
import { settle } from '../../electron/base/fake-clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { overrideClient } from '../../electron/controllers/testing/override-client.ts'
import { PREFIX, type Play } from './behaviour.ts'
import { createHollowKubelets, type HollowKubeletsDeps } from './hollow-kubelets.ts'

const NAMESPACE = 'test'

async function start(options: Partial<HollowKubeletsDeps> & { nodes?: HollowKubeletsDeps['nodes'] } = {}) {
  const stack = new AsyncDisposableStack()
  const { client, clock } = stack.use(await startTestServer())
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  const calls: string[] = []
  const counted = counting(client, calls)
  const nodes = options.nodes ?? [{ name: 'node-0' }]
  const kubelets = stack.use(
    createHollowKubelets({ client: counted, clock, random: seededRandom(1), logger: silentLogger, heartbeat: null, ...options, nodes }),
  )
  await kubelets.start()
  await settle(50)
  calls.length = 0
  const at = (name: string) => ({ namespace: NAMESPACE, name })
  return {
    ...{ client, clock, kubelets, calls },
    async run(name: string, annotations: Record<string, string> = {}, spec: Draft<PodSpec> = {}) {
      const containers = [{ name: 'app', image: 'app:1' }]
      const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [PREFIX + key, value]))
      await client.create(podKind, { metadata: { ...at(name), annotations: prefixed }, spec: { nodeName: 'node-0', containers, ...spec } })
      await settle(50)
    },
    pod: (name: string) => client.get(podKind, at(name)),
    advance: async (ms: number) => {
      await clock.advance(ms)
      await settle(50)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function counting(client: Client, calls: string[]): Client {
  return overrideClient(client, {
    create: (kind, object, options) => (calls.push(`create ${kind.resource}`), client.create(kind, object, options)),
    patch: (kind, at, patch, options) => (calls.push(`patch ${kind.resource}`), client.patch(kind, at, patch, options)),
    delete: (kind, at, options) => (calls.push(`delete ${kind.resource}`), client.delete(kind, at, options)),
    watch: (kind, options) => (calls.push(`watch ${kind.resource}`), client.watch(kind, options)),
  })
}

const conditionOf = ({ status }: Pod, type: string) => status.conditions?.find((one) => one.type === type)?.status

describe('simulated nodes', () => {
  it('register, are ready, and renew their leases at times of their own', async () => {
    const nodes = Array.from({ length: 200 }, (_, i) => ({ name: `node-${i}`, capacity: { cpu: '2' } }))
    await using world = await start({ nodes, heartbeat: 10_000 })
    const { items } = await world.client.list(nodeKind)
    expect(items).toHaveLength(200)
    for (const { status } of items) {
      expect(status.allocatable).toMatchObject({ cpu: '2', memory: '32Gi' })
      expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    }
    await world.advance(60_000)
    const leases = (await world.client.list(leaseKind)).items
    expect(leases).toHaveLength(200)
    expect(new Set(leases.map(({ spec }) => spec?.renewTime)).size).toBeGreaterThan(100)
    // Six or seven renewals of each, and nothing else.
    expect(new Set(world.calls)).toEqual(new Set(['patch leases']))
    expect(world.calls.length).toBeLessThanOrEqual(200 * 7)
  })

  it('take a pod to ready and to its end with a write for each thing that changes', async () => {
    await using world = await start()
    await world.run('web', { 'start-delay': '2', 'ready-delay': '3', 'stop-delay': '4' })
    expect((await world.pod('web')).status).toMatchObject({ phase: 'Pending', containerStatuses: [{ state: { waiting: {} } }] })
    await world.advance(2000)
    const running = await world.pod('web')
    expect(running.status).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^100\./) as string })
    expect(conditionOf(running, 'Ready')).toBe('False')
    await world.advance(3000)
    expect(conditionOf(await world.pod('web'), 'Ready')).toBe('True')
    await world.client.delete(podKind, { namespace: NAMESPACE, name: 'web' })
    await world.advance(3000)
    expect((await world.pod('web')).status.phase).toBe('Running')
    await world.advance(1000)
    await expect(world.pod('web')).rejects.toThrow('not found')
    // Taken, running, ready, told to end (its generation), ended.
    expect(world.calls).toEqual([...Array.from({ length: 5 }, () => 'patch pods'), 'delete pods'])
  })

  it('start containers again as the restart policy says, later each time', async () => {
    await using world = await start()
    await world.run('flaky', { 'runs-for': '1', 'exit-codes': '1,1,0' }, { restartPolicy: 'OnFailure' })
    await world.advance(1000)
    expect((await world.pod('flaky')).status.containerStatuses?.[0]?.restartCount).toBe(1)
    await world.advance(1000)
    expect((await world.pod('flaky')).status.containerStatuses?.[0]?.state.waiting?.reason).toBe('CrashLoopBackOff')
    await world.advance(11_000)
    const { status } = await world.pod('flaky')
    expect([status.phase, status.containerStatuses?.[0]?.restartCount]).toEqual(['Succeeded', 2])
    await world.run('once', { 'runs-for': '1', 'exit-codes': '3' }, { restartPolicy: 'Never' })
    await world.advance(1000)
    expect((await world.pod('once')).status).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 3 } } }],
    })
  })

  it('refuse what they have no room for, and leave images that are missing unpulled', async () => {
    await using world = await start({ nodes: [{ name: 'node-0', capacity: { cpu: '1' } }] })
    const asking = { containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '600m' } } }] }
    await world.run('first', {}, asking)
    await world.run('second', {}, asking)
    expect((await world.pod('first')).status.phase).toBe('Running')
    expect((await world.pod('second')).status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' })
    await world.run('missing', { 'missing-image': 'true' })
    const { status } = await world.pod('missing')
    expect([status.phase, status.containerStatuses?.[0]?.state.waiting?.reason]).toEqual(['Pending', 'ImagePullBackOff'])
  })

  it('say nothing while they are silent, and go on afterwards', async () => {
    let ready = true
    const play: Play = () => ({ ready })
    await using world = await start({ play })
    await world.run('web')
    world.kubelets.silence('node-0')
    ready = false
    await world.client.delete(podKind, { namespace: NAMESPACE, name: 'web' })
    await world.run('late')
    await world.advance(60_000)
    expect((await world.pod('web')).status.phase).toBe('Running')
    expect((await world.pod('late')).status.phase).toBe('Pending')
    world.kubelets.wake('node-0', { rebooted: true })
    await world.advance(1000)
    await expect(world.pod('web')).rejects.toThrow('not found')
    expect(conditionOf(await world.pod('late'), 'Ready')).toBe('False')
    ready = true
    world.kubelets.refresh()
    await world.advance(0)
    expect(conditionOf(await world.pod('late'), 'Ready')).toBe('True')
  })

  it('go on with what ran before they were started anew', async () => {
    await using world = await start()
    await world.run('web', {}, { initContainers: [{ name: 'first', image: 'app:1' }] })
    const before = await world.pod('web')
    expect(before.status.phase).toBe('Running')
    await world.kubelets[Symbol.asyncDispose]()
    const { client, clock } = world
    await using again = createHollowKubelets({ client, clock, random: seededRandom(2), logger: silentLogger, nodes: [{ name: 'node-0' }] })
    await again.start()
    await world.advance(20_000)
    const { status } = await world.pod('web')
    expect(status).toEqual(before.status)
  })
})
