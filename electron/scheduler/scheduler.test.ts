import { expect, test } from 'vitest'
import { node as nodeKind } from '../api/core/v1/node.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import { startCluster } from './testing/cluster.ts'
import { NAMESPACE } from './testing/objects.ts'

const TAINT = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] as const

test('binds a pod to the node that fits, and says so', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('small', { cpu: '1' })
  await cluster.addNode('large', { cpu: '8' })
  await cluster.addPod('web', { requests: { cpu: '2' } })
  await cluster.quiet()
  expect(await cluster.nodeOf('web')).toBe('large')
  expect(await cluster.scheduled('web')).toMatchObject({ status: 'True' })
  expect(await cluster.events('web')).toEqual(['Normal Scheduled: Successfully assigned test/web to large'])
})

test('says of a pod that fits nowhere why not, in its condition and in an event', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('small', { cpu: '1' })
  await cluster.addNode('db-0', { taints: TAINT })
  await cluster.addNode('db-1', { taints: TAINT })
  await cluster.addPod('web', { requests: { cpu: '2' } })
  await cluster.quiet()
  const message =
    '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). ' +
    'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'
  expect(await cluster.scheduled('web')).toMatchObject({ status: 'False', reason: 'Unschedulable', message })
  expect(await cluster.events('web')).toEqual([`Warning FailedScheduling: ${message}`])
})

test('tries a pod again when a node comes that may take it', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('small', { cpu: '1' })
  await cluster.addPod('web', { requests: { cpu: '2' } })
  await cluster.quiet()
  expect(await cluster.nodeOf('web')).toBe('')
  await cluster.addNode('large')
  await cluster.advance(1000)
  expect(await cluster.nodeOf('web')).toBe('large')
})

test('waits for a node without another try while there is none', async () => {
  await using cluster = await startCluster()
  await cluster.addPod('web')
  await cluster.quiet()
  expect(await cluster.scheduled('web')).toMatchObject({ reason: 'Unschedulable', message: 'no nodes available to schedule pods' })
  await cluster.advance(60_000)
  expect(cluster.scheduler.explain(NAMESPACE, 'web')?.lastAttempt).toMatchObject({ attempt: 1 })
  await cluster.addNode('first')
  await cluster.advance(1000)
  expect(await cluster.nodeOf('web')).toBe('first')
})

test('tries a pod again when a pod leaves and makes room', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('only', { cpu: '2' })
  await cluster.addPod('first', { requests: { cpu: '2' } })
  await cluster.quiet()
  await cluster.addPod('second', { requests: { cpu: '2' } })
  await cluster.quiet()
  expect(await cluster.nodeOf('second')).toBe('')
  await cluster.client.delete(podKind, { namespace: NAMESPACE, name: 'first' }, { gracePeriodSeconds: 0 })
  await cluster.advance(1000)
  expect(await cluster.nodeOf('second')).toBe('only')
})

test('tries a pod again when a node is uncordoned', async () => {
  await using cluster = await startCluster()
  const node = await cluster.addNode('only', { unschedulable: true })
  await cluster.addPod('web')
  await cluster.quiet()
  expect(await cluster.nodeOf('web')).toBe('')
  await cluster.client.patch(nodeKind, { name: node.metadata.name }, { type: 'merge', body: { spec: { unschedulable: null } } })
  await cluster.advance(1000)
  expect(await cluster.nodeOf('web')).toBe('only')
})

test('leaves pods of other schedulers and gated pods alone', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('only')
  await cluster.addPod('foreign', { spec: { schedulerName: 'another' } })
  await cluster.addPod('gated', { spec: { schedulingGates: [{ name: 'example.com/wait' }] } })
  await cluster.quiet()
  expect([await cluster.nodeOf('foreign'), await cluster.nodeOf('gated')]).toEqual(['', ''])
  expect(cluster.scheduler.explain(NAMESPACE, 'gated')?.lastAttempt).toMatchObject({ outcome: 'held back', attempt: 0 })
  const ungated = { type: 'json', body: [{ op: 'remove', path: '/spec/schedulingGates' }] } as const
  await cluster.client.patch(podKind, { namespace: NAMESPACE, name: 'gated' }, ungated)
  await cluster.quiet()
  expect(await cluster.nodeOf('gated')).toBe('only')
})

test('displaces less important pods for a more important one, and binds it when they are gone', async () => {
  await using cluster = await startCluster()
  await cluster.addNode('only', { cpu: '2' })
  await cluster.addPod('low', { requests: { cpu: '2' }, spec: { terminationGracePeriodSeconds: 0 } })
  await cluster.quiet()
  await cluster.addPod('high', { requests: { cpu: '2' }, spec: { priorityClassName: 'system-cluster-critical' } })
  await cluster.quiet()
  await cluster.advance(2000)
  await expect(cluster.pod('low')).rejects.toMatchObject({ reason: 'NotFound' })
  expect(await cluster.nodeOf('high')).toBe('only')
  expect(await cluster.events('low')).toContainEqual(expect.stringContaining('Normal Preempted: Preempted by pod'))
})

test('spreads pods that are bound at the same moment without overfilling a node', async () => {
  await using cluster = await startCluster()
  for (let i = 0; i < 4; i++) await cluster.addNode(`node-${i}`, { cpu: '2' })
  for (let i = 0; i < 8; i++) await cluster.addPod(`web-${i}`, { requests: { cpu: '1' } })
  await cluster.quiet()
  const { items } = await cluster.client.list(podKind)
  const perNode = Object.groupBy(items, ({ spec }) => spec.nodeName ?? '')
  expect(Object.values(perNode).map((pods) => pods?.length)).toEqual([2, 2, 2, 2])
})

test('refuses two profiles of one name', async () => {
  await expect(startCluster({ profiles: [{}, {}] })).rejects.toThrow('there are two profiles "default-scheduler"')
})
