import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { NodeSpec, NodeStatus } from '../../api/core/v1/types.gen.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { createControllers } from '../controllers.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const only = ['node-lifecycle-controller']
const MINUTE = 60_000

function start(nodes: number, more: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  return startCluster({ only, hollow: { nodes, heartbeats: true }, ...more })
}

async function taints({ client }: TestCluster, name: string): Promise<string[]> {
  const { spec } = await client.get(nodeKind, { name })
  return (spec.taints ?? []).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`).sort(byText)
}

async function condition({ client }: TestCluster, name: string, type: string) {
  return findCondition((await client.get(nodeKind, { name })).status.conditions, type)
}

async function evicting(cluster: TestCluster): Promise<string[]> {
  const { items } = await cluster.client.list(nodeKind)
  return items.filter(({ spec }) => spec.taints?.some(({ effect }) => effect === 'NoExecute')).map(({ metadata }) => metadata.name)
}

function silence({ nodes }: TestCluster, ...names: string[]): void {
  for (const name of names) nodes.silent.add(name)
}

function wake({ nodes }: TestCluster): void {
  nodes.silent.clear()
  nodes.refresh()
}

async function report({ client }: TestCluster, name: string, type: string, status: 'True' | 'False'): Promise<void> {
  const body = { status: { conditions: [{ type, status, reason: 'Test', message: '' }] } }
  await client.patch(nodeKind, { name }, { type: 'strategic', body }, { subresource: 'status' })
}

const addNode = ({ client }: TestCluster, name: string, spec: Draft<NodeSpec>, status: Draft<NodeStatus>) =>
  client.create(nodeKind, { metadata: { name }, spec, status })
const byText = (a: string, b: string) => (a < b ? -1 : 1)
const BOTH = ['unreachable:NoExecute', 'unreachable:NoSchedule']

describe('the node lifecycle controller', () => {
  it('lets a node be of which it hears, and says that it knows it', async () => {
    await using cluster = await start(2)
    await cluster.advance(10 * MINUTE)
    expect(await condition(cluster, 'node-0', 'Ready')).toMatchObject({ status: 'True' })
    expect(await taints(cluster, 'node-0')).toEqual([])
    expect(await cluster.events('node-0')).toEqual(['RegisteredNode: Registered Node node-0 in Controller'])
    await cluster.client.delete(nodeKind, { name: 'node-1' })
    cluster.nodes.names.delete('node-1')
    await cluster.quiet()
    expect(await cluster.events('node-1')).toContain('RemovingNode: Removing Node node-1 from Controller')
    expect(cluster.complaints).toEqual([])
  })

  it('says of a node that is silent while another is heard that it is unknown, and gives up its pods', async () => {
    await using cluster = await start(2)
    const { client, clock } = cluster
    await client.create(podKind, { ...template({}), metadata: { name: 'web', namespace: NAMESPACE } })
    await cluster.quiet()
    const { spec } = await client.get(podKind, { namespace: NAMESPACE, name: 'web' })
    const name = spec.nodeName ?? ''
    await cluster.advance(MINUTE)
    const heard = (await condition(cluster, name, 'Ready'))?.lastHeartbeatTime
    silence(cluster, name)
    await cluster.advance(49_000)
    expect(await condition(cluster, name, 'Ready')).toMatchObject({ status: 'True' })
    expect(await taints(cluster, name)).toEqual([])
    await cluster.advance(11_000)
    expect(await condition(cluster, name, 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastHeartbeatTime: heard,
    })
    expect(await condition(cluster, name, 'MemoryPressure')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusNeverUpdated' })
    expect(await taints(cluster, name)).toEqual(BOTH)
    const node = await client.get(nodeKind, { name })
    for (const { timeAdded } of node.spec.taints ?? []) expect(clock.now() - Date.parse(timeAdded ?? '')).toBeLessThan(11_000)
    expect(await cluster.events(name)).toContain(`NodeNotReady: Node ${name} status is now: NodeNotReady`)
    const pod = await client.get(podKind, { namespace: NAMESPACE, name: 'web' })
    expect(findCondition(pod.status.conditions, 'Ready')).toMatchObject({ status: 'False' })
    expect(await cluster.events('web')).toEqual(['NodeNotReady: Node is not ready'])
    wake(cluster)
    await cluster.advance(10_000)
    expect(await taints(cluster, name)).toEqual([])
    expect(await condition(cluster, name, 'Ready')).toMatchObject({ status: 'True' })
    expect(cluster.complaints).toEqual([])
  })

  it('taints by what a node and its operator say, and keeps the taints of others', async () => {
    await using cluster = await start(2)
    const { client } = cluster
    const own = { key: 'example.com/mine', effect: 'NoSchedule' as const }
    await client.patch(nodeKind, { name: 'node-0' }, { type: 'merge', body: { spec: { unschedulable: true, taints: [own] } } })
    for (const type of ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'])
      await report(cluster, 'node-0', type, 'True')
    await cluster.quiet()
    const pressures = ['disk-pressure', 'memory-pressure', 'network-unavailable', 'pid-pressure', 'unschedulable']
    expect(await taints(cluster, 'node-0')).toEqual([...pressures, 'example.com/mine'].map((key) => `${key}:NoSchedule`).sort(byText))
    await client.patch(nodeKind, { name: 'node-0' }, { type: 'merge', body: { spec: { unschedulable: false } } })
    for (const type of ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'])
      await report(cluster, 'node-0', type, 'False')
    await cluster.quiet()
    expect(await taints(cluster, 'node-0')).toEqual(['example.com/mine:NoSchedule'])
  })

  it('drives pods from a node that says itself that it is not ready, unless all say so', async () => {
    await using cluster = await start(0)
    const ready = (status: string) => ({ conditions: [{ type: 'Ready', status, lastHeartbeatTime: '2026-01-01T00:00:00Z' }] })
    await addNode(cluster, 'a', {}, ready('False'))
    await cluster.advance(10_000)
    expect(await taints(cluster, 'a')).toEqual(['not-ready:NoSchedule'])
    await addNode(cluster, 'b', {}, ready('True'))
    await cluster.advance(10_000)
    expect(await taints(cluster, 'a')).toEqual(['not-ready:NoExecute', 'not-ready:NoSchedule'])
    await report(cluster, 'b', 'Ready', 'False')
    await cluster.advance(10_000)
    expect(await evicting(cluster)).toEqual([])
  })

  it('gives a node that has just registered a minute to say how it does', async () => {
    await using cluster = await start(1)
    await addNode(cluster, 'new', {}, {})
    await cluster.advance(59_000)
    expect(await condition(cluster, 'new', 'Ready')).toBeUndefined()
    await cluster.advance(10_000)
    expect(await condition(cluster, 'new', 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusNeverUpdated' })
  })

  it('gives up nodes at the rate that is set', async () => {
    await using cluster = await start(9, { options: { nodeEvictionRate: 1 / 60 } })
    await cluster.advance(MINUTE)
    silence(cluster, 'node-0', 'node-1', 'node-2')
    await cluster.advance(70_000)
    expect(await evicting(cluster)).toHaveLength(1)
    await cluster.advance(MINUTE)
    expect(await evicting(cluster)).toHaveLength(2)
    await cluster.advance(MINUTE)
    expect(await evicting(cluster)).toHaveLength(3)
  })

  it('gives up none of a small zone most of which fails, and those of another at the full rate', async () => {
    const labels = (index: number) => ({ 'topology.kubernetes.io/zone': index < 5 ? 'a' : 'b' })
    await using cluster = await start(8, { hollow: { nodes: 8, heartbeats: true, labels } })
    await cluster.advance(MINUTE)
    silence(cluster, 'node-0', 'node-1', 'node-2', 'node-3', 'node-7')
    await cluster.advance(5 * MINUTE)
    // One may go before it is seen how many fail.
    expect((await evicting(cluster)).filter((name) => name < 'node-5').length).toBeLessThanOrEqual(1)
    expect(await evicting(cluster)).toContain('node-7')
  })
})

describe('a desktop that was away', () => {
  it('gives up no node when none is heard, and gives all of them their time when the first is heard again', async () => {
    await using cluster = await start(3)
    await cluster.client.create(podKind, { ...template({}), metadata: { name: 'web', namespace: NAMESPACE } })
    await cluster.advance(MINUTE)
    silence(cluster, 'node-0', 'node-1', 'node-2')
    for (let i = 0; i < 60; i++) {
      await cluster.advance(10_000)
      expect(await evicting(cluster)).toEqual([])
    }
    expect(await condition(cluster, 'node-1', 'Ready')).toMatchObject({ status: 'Unknown' })
    const pod = await cluster.client.get(podKind, { namespace: NAMESPACE, name: 'web' })
    expect(findCondition(pod.status.conditions, 'Ready')).toMatchObject({ status: 'True' })
    cluster.nodes.silent.delete('node-0')
    cluster.nodes.refresh()
    await cluster.advance(45_000)
    expect(await evicting(cluster)).toEqual([])
    await cluster.advance(15_000)
    expect(await evicting(cluster)).not.toEqual([])
    expect(await evicting(cluster)).not.toContain('node-0')
  })

  it('keeps no judgement of before a common silence', async () => {
    await using cluster = await start(3)
    await cluster.advance(MINUTE)
    silence(cluster, 'node-2')
    await cluster.advance(2 * MINUTE)
    expect(await evicting(cluster)).toEqual(['node-2'])
    silence(cluster, 'node-0', 'node-1')
    await cluster.advance(30_000)
    expect(await evicting(cluster)).toEqual([])
  })

  it('takes the life of a sandbox for no proof that its network works', async () => {
    await using cluster = await start(3)
    const { client } = cluster
    await client.create(machineKind, { metadata: { name: 'node-0' }, spec: { provider: 'sandbox' } })
    await cluster.advance(MINUTE)
    silence(cluster, 'node-1', 'node-2')
    await cluster.advance(10 * MINUTE)
    expect(await taints(cluster, 'node-1')).toEqual(['unreachable:NoSchedule'])
    wake(cluster)
    await cluster.advance(MINUTE)
    silence(cluster, 'node-0')
    await cluster.advance(2 * MINUTE)
    expect(await taints(cluster, 'node-0')).toEqual(BOTH)
  })

  it('judges nobody by the time that it slept', async () => {
    await using cluster = await start(2)
    await cluster.advance(MINUTE)
    silence(cluster, 'node-1')
    await cluster.advance(30_000)
    cluster.clock.jump(8 * 60 * MINUTE)
    await cluster.advance(45_000)
    expect(await condition(cluster, 'node-1', 'Ready')).toMatchObject({ status: 'True' })
    await cluster.advance(25_000)
    expect(await taints(cluster, 'node-1')).toEqual(BOTH)
    cluster.clock.jump(8 * 60 * MINUTE)
    await cluster.advance(10_000)
    expect(await evicting(cluster)).toEqual([])
  })

  it('takes nothing for a sign of life that was stored before it started', async () => {
    const faults: Faults = {}
    await using cluster = await start(2, { wrap: (client) => faultyClient(client, faults, seededRandom(5)) })
    await cluster.advance(MINUTE)
    silence(cluster, 'node-1')
    await cluster.advance(2 * MINUTE)
    expect(await evicting(cluster)).toEqual(['node-1'])
    faults.partitioned = true
    const { client, clock } = cluster
    await using again = createControllers({ client, clock, random: seededRandom(1), logger: silentLogger, only })
    await again.start()
    await cluster.quiet()
    expect(await evicting(cluster)).toEqual([])
    await cluster.advance(45_000)
    expect(await evicting(cluster)).toEqual([])
    await cluster.advance(25_000)
    expect(await evicting(cluster)).toEqual(['node-1'])
  })

  it('judges nobody while it sees nothing itself', async () => {
    const faults: Faults = {}
    await using cluster = await start(2, { wrap: (client) => faultyClient(client, faults, seededRandom(5)) })
    await cluster.advance(MINUTE)
    faults.partitioned = true
    await cluster.advance(5 * MINUTE)
    faults.partitioned = false
    await cluster.advance(20_000)
    for (const name of ['node-0', 'node-1']) {
      expect(await condition(cluster, name, 'Ready')).toMatchObject({ status: 'True' })
      expect(await taints(cluster, name)).toEqual([])
    }
    expect((await cluster.events('node-0')).filter((text) => text.startsWith('NodeNotReady'))).toEqual([])
  })
})
