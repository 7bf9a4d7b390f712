import { describe, expect, it } from 'vitest'
import { controllerRevision } from '../../api/apps/v1/controller-revision.ts'
import { daemonSet } from '../../api/apps/v1/daemon-set.ts'
import type { DaemonSet } from '../../api/apps/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod, Taint } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { controllerOf, isBeingDeleted } from '../../machinery/object.ts'
import { forbidden } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { daemonSetOf, template } from '../testing/objects.ts'

const only = ['daemonset-controller']
const HASH = 'controller-revision-hash'
const log = { namespace: NAMESPACE, name: 'log' }
const start = ({ hollow, ...options }: Partial<ClusterOptions> = {}) =>
  startCluster({ only, hollow: { untaint: true, ...(hollow ?? { nodes: 3, startDelay: 1000 }) }, ...options })

const podsOf = async ({ client }: TestCluster): Promise<readonly Pod[]> => (await client.list(podKind, { namespace: NAMESPACE })).items
const nodesOf = async (cluster: TestCluster) =>
  (await podsOf(cluster))
    .filter((pod) => !isBeingDeleted(pod))
    .map(({ spec }) => spec.nodeName ?? '')
    .sort()
const statusOf = async ({ client }: TestCluster) => (await client.get(daemonSet, log)).status
const change = async (cluster: TestCluster, spec: Draft<DaemonSet['spec']>) => {
  await cluster.client.patch(daemonSet, log, { type: 'merge', body: { spec } })
  await cluster.quiet()
}
const image = (cluster: TestCluster, name: string) => change(cluster, { template: template({ app: 'log' }, name) })
const images = async (cluster: TestCluster) =>
  Object.fromEntries(
    (await podsOf(cluster)).filter((pod) => !isBeingDeleted(pod)).map(({ spec }) => [spec.nodeName, spec.containers[0]?.image]),
  )
const editNode = async (cluster: TestCluster, name: string, body: unknown) => {
  await cluster.client.patch(nodeKind, { name }, { type: 'merge', body })
  await cluster.quiet()
}
const taint = (cluster: TestCluster, name: string, ...taints: Taint[]) => editNode(cluster, name, { spec: { taints } })

describe('the DaemonSet controller', () => {
  it('runs one pod on each node, bound to it by name and bearing what drives others away', async () => {
    await using cluster = await start()
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.quiet()
    expect(await statusOf(cluster)).toMatchObject({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberReady: 0,
      numberUnavailable: 3,
    })
    await cluster.advance(1000)
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1', 'node-2'])
    const [pod] = await podsOf(cluster)
    expect(pod && controllerOf(pod)).toMatchObject({ kind: 'DaemonSet', name: 'log' })
    expect(pod?.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: [pod?.spec.nodeName] }] },
    ])
    expect(pod?.spec.tolerations?.map(({ key, effect }) => `${key?.split('/')[1]}:${effect}`).sort()).toEqual([
      'disk-pressure:NoSchedule',
      'memory-pressure:NoSchedule',
      'not-ready:NoExecute',
      'pid-pressure:NoSchedule',
      'unreachable:NoExecute',
      'unschedulable:NoSchedule',
    ])
    expect(await statusOf(cluster)).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    })
    expect((await cluster.events('log')).filter((text) => text.startsWith('SuccessfulCreate'))).toHaveLength(3)
    expect(cluster.complaints).toEqual([])
    const { length } = cluster.writes
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(length)
  })

  it('comes to new nodes and leaves those that it no longer selects', async () => {
    await using cluster = await start({ hollow: { nodes: 3, labels: (i) => ({ disk: i === 2 ? 'hdd' : 'ssd' }) } })
    const { client, nodes } = cluster
    const spec = { ...template({ app: 'log' }).spec, nodeSelector: { disk: 'ssd' } }
    await client.create(daemonSet, daemonSetOf('log', { template: { ...template({ app: 'log' }), spec } }))
    await cluster.quiet()
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1'])
    nodes.names.add('node-3')
    nodes.refresh()
    await cluster.quiet()
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1'])
    await editNode(cluster, 'node-3', { metadata: { labels: { disk: 'ssd' } } })
    await editNode(cluster, 'node-0', { metadata: { labels: { disk: 'hdd' } } })
    expect(await nodesOf(cluster)).toEqual(['node-1', 'node-3'])
    expect(await statusOf(cluster)).toMatchObject({ desiredNumberScheduled: 2, numberMisscheduled: 0 })
  })

  it('keeps a pod on a node that takes no new ones, and takes it off one that drives pods away', async () => {
    await using cluster = await start()
    const { client } = cluster
    await taint(cluster, 'node-2', { key: 'example.com/reserved', effect: 'NoSchedule' })
    await client.create(daemonSet, daemonSetOf('log'))
    await cluster.advance(1000)
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1'])
    await taint(cluster, 'node-1', { key: 'example.com/reserved', effect: 'NoSchedule' })
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1'])
    expect(await statusOf(cluster)).toMatchObject({ desiredNumberScheduled: 1, currentNumberScheduled: 1, numberMisscheduled: 1 })
    await taint(cluster, 'node-1', { key: 'example.com/broken', effect: 'NoExecute' })
    expect(await nodesOf(cluster)).toEqual(['node-0'])
    await taint(cluster, 'node-0', { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' })
    expect(await nodesOf(cluster)).toEqual(['node-0'])
  })

  it('runs on cordoned nodes', async () => {
    await using cluster = await start()
    await editNode(cluster, 'node-1', { spec: { unschedulable: true } })
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.quiet()
    expect(await nodesOf(cluster)).toEqual(['node-0', 'node-1', 'node-2'])
  })

  it('takes back pods that wait for a node that is gone', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.schedules = false
    await client.create(daemonSet, daemonSetOf('log'))
    await cluster.quiet()
    expect(await podsOf(cluster)).toHaveLength(3)
    nodes.names.delete('node-1')
    await client.delete(nodeKind, { name: 'node-1' })
    await cluster.quiet()
    expect(await podsOf(cluster)).toHaveLength(2)
  })

  it('replaces node after node, each only when the one before is available', async () => {
    await using cluster = await start()
    await cluster.client.create(daemonSet, daemonSetOf('log', { minReadySeconds: 10 }))
    await cluster.advance(15_000)
    await image(cluster, 'app:2')
    const updated = async () => Object.values(await images(cluster)).filter((name) => name === 'app:2').length
    expect(await updated()).toBe(1)
    await cluster.advance(8000)
    expect(await updated()).toBe(1)
    await cluster.advance(5000)
    expect(await updated()).toBe(2)
    await cluster.advance(30_000)
    expect(await updated()).toBe(3)
    expect(await statusOf(cluster)).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3, observedGeneration: 2 })
  })

  it('replaces at once what does not work anyway', async () => {
    await using cluster = await start()
    const { nodes } = cluster
    nodes.behaviour = (pod) => (pod.spec.containers[0]?.image === 'app:1' ? 'unready' : 'ready')
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.advance(2000)
    await image(cluster, 'app:2')
    expect(Object.values(await images(cluster))).toEqual(['app:2', 'app:2', 'app:2'])
  })

  it('brings the new pod up beside the old one where it may surge', async () => {
    await using cluster = await start()
    const updateStrategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
    await cluster.client.create(daemonSet, daemonSetOf('log', { updateStrategy }))
    await cluster.advance(1000)
    await image(cluster, 'app:2')
    const counts: number[] = []
    for (let i = 0; i < 6; i++) {
      counts.push((await podsOf(cluster)).length)
      expect((await statusOf(cluster)).numberAvailable).toBe(3)
      await cluster.advance(1000)
    }
    expect(Math.max(...counts)).toBe(4)
    expect(Object.values(await images(cluster))).toEqual(['app:2', 'app:2', 'app:2'])
    expect(await podsOf(cluster)).toHaveLength(3)
  })

  it('waits with OnDelete for whoever deletes the old pods', async () => {
    await using cluster = await start()
    await cluster.client.create(daemonSet, daemonSetOf('log', { updateStrategy: { type: 'OnDelete' } }))
    await cluster.advance(1000)
    await image(cluster, 'app:2')
    await cluster.advance(60_000)
    expect(await images(cluster)).toEqual({ 'node-0': 'app:1', 'node-1': 'app:1', 'node-2': 'app:1' })
    expect(await statusOf(cluster)).not.toHaveProperty('updatedNumberScheduled')
    const victim = (await podsOf(cluster)).find(({ spec }) => spec.nodeName === 'node-1')
    await cluster.client.delete(podKind, victim?.metadata ?? { name: '' })
    await cluster.advance(2000)
    expect(await images(cluster)).toEqual({ 'node-0': 'app:1', 'node-1': 'app:2', 'node-2': 'app:1' })
  })

  it('waits with a new pod until the old one has ended', async () => {
    await using cluster = await start({ hollow: { nodes: 1, stopDelay: 10_000 } })
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.quiet()
    await image(cluster, 'app:2')
    await cluster.advance(8000)
    expect(await podsOf(cluster)).toHaveLength(1)
    await cluster.advance(4000)
    expect(await images(cluster)).toEqual({ 'node-0': 'app:2' })
  })

  it('keeps revisions, comes back to one under its old name, and forgets the oldest', async () => {
    await using cluster = await start({ hollow: { nodes: 1 } })
    const { client } = cluster
    await client.create(daemonSet, daemonSetOf('log', { revisionHistoryLimit: 2 }))
    await cluster.quiet()
    const revisions = async () =>
      [...(await client.list(controllerRevision, { namespace: NAMESPACE })).items].sort((a, b) => a.revision - b.revision)
    const [first] = await revisions()
    expect(first?.metadata.labels).toHaveProperty(HASH)
    expect(first && controllerOf(first)).toMatchObject({ kind: 'DaemonSet', name: 'log' })
    expect((await podsOf(cluster))[0]?.metadata.labels?.[HASH]).toBe(first?.metadata.labels?.[HASH])
    await image(cluster, 'app:2')
    await cluster.advance(1000)
    await image(cluster, 'app:1')
    await cluster.advance(1000)
    expect((await revisions()).map(({ metadata, revision }) => [metadata.name === first?.metadata.name, revision])).toEqual([
      [false, 2],
      [true, 3],
    ])
    for (const version of [3, 4, 5]) {
      await image(cluster, `app:${version}`)
      await cluster.advance(2000)
    }
    expect((await revisions()).map(({ revision }) => revision)).toEqual([4, 5, 6])
  })

  it.each(['fail', 'succeed'] as const)('replaces pods that %s less and less often', async (behaviour) => {
    await using cluster = await start({ hollow: { nodes: 1 } })
    const { nodes } = cluster
    nodes.behaviour = () => behaviour
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.advance(60_000)
    const replacements = cluster.writes.filter((write) => write.startsWith('delete pods')).length
    expect(replacements).toBeGreaterThan(3)
    expect(replacements).toBeLessThan(9)
    const word = behaviour === 'fail' ? 'Failed' : 'Succeeded'
    expect(await cluster.events('log')).toContainEqual(
      expect.stringMatching(new RegExp(`^${word}DaemonPod: Found ${word.toLowerCase()} daemon pod test/log-.* on node node-0`)),
    )
    nodes.behaviour = () => 'ready'
    await cluster.advance(120_000)
    expect(await statusOf(cluster)).toMatchObject({ numberReady: 1 })
  })

  it('creates few pods at a time while they are refused, says why, and goes on', async () => {
    let refuse = true
    await using cluster = await start({
      hollow: { nodes: 12 },
      server: {
        checks: [
          async ({ operation, kind }) => {
            if (refuse && operation === 'CREATE' && kind.kind === 'Pod') throw forbidden(kind, '', 'exceeded quota: tiny')
          },
        ],
      },
    })
    await cluster.client.create(daemonSet, daemonSetOf('log'))
    await cluster.quiet()
    expect(cluster.writes.filter((write) => write.startsWith('create pods')).length).toBeLessThan(5)
    expect((await cluster.events('log'))[0]).toMatch(/^FailedCreate: Error creating: .*exceeded quota: tiny/)
    refuse = false
    await cluster.advance(60_000)
    expect(await statusOf(cluster)).toMatchObject({ numberReady: 12 })
  })

  it('adopts a pod that it selects, and does nothing once it is being deleted itself', async () => {
    await using cluster = await start({ hollow: { nodes: 1 } })
    const { client } = cluster
    const spec = { ...template({}).spec, nodeName: 'node-0' }
    await client.create(podKind, { metadata: { namespace: NAMESPACE, name: 'lonely', labels: { app: 'log' } }, spec })
    await client.create(daemonSet, daemonSetOf('log', { updateStrategy: { type: 'OnDelete' } }))
    await cluster.quiet()
    expect((await podsOf(cluster)).map(({ metadata }) => metadata.name)).toEqual(['lonely'])
    await client.delete(daemonSet, log, { propagationPolicy: 'Foreground' })
    await client.delete(podKind, { namespace: NAMESPACE, name: 'lonely' }, { gracePeriodSeconds: 0 })
    await cluster.advance(60_000)
    expect(await podsOf(cluster)).toEqual([])
  })
})
