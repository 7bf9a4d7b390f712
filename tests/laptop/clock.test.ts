/** What sleep and a wrong clock do to a cluster, in fake time: every controller on the real API server, with nodes that only pretend. */
import { expect, it } from 'vitest'
import { daemonSet as daemonSetKind } from '../../electron/api/apps/v1/daemon-set.ts'
import { deployment as deploymentKind } from '../../electron/api/apps/v1/deployment.ts'
import { statefulSet as statefulSetKind } from '../../electron/api/apps/v1/stateful-set.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { isConditionTrue } from '../../electron/machinery/conditions.ts'
import { CONTROLLERS } from '../../electron/controllers/list.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../../electron/controllers/testing/cluster.ts'
import { daemonSetOf, deploymentOf, statefulSetOf } from '../../electron/controllers/testing/objects.ts'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]

async function running(): Promise<TestCluster> {
  const only = CONTROLLERS.map(({ name }) => name)
  const cluster = await startCluster({ only, hollow: { nodes: 3, heartbeats: true } })
  await cluster.client.create(deploymentKind, deploymentOf('web', { replicas: 4 }))
  await cluster.client.create(statefulSetKind, statefulSetOf('db', { replicas: 2 }))
  await cluster.client.create(daemonSetKind, daemonSetOf('logs'))
  await cluster.advance(2 * MINUTE)
  expect(await pods(cluster)).toHaveLength(9)
  return cluster
}

async function pods({ client }: TestCluster): Promise<string[]> {
  const { items } = await client.list(podKind, { namespace: NAMESPACE })
  return items
    .map(
      ({ metadata, spec, status }) =>
        `${metadata.name} ${metadata.uid} ${spec.nodeName} ${status.phase} ${metadata.deletionTimestamp ?? ''}`,
    )
    .sort()
}

/** Watched second by second, because what drives pods away might be there for moments only. */
async function watched(cluster: TestCluster, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 5) {
    await cluster.advance(5 * SECOND)
    const { items } = await cluster.client.list(nodeKind)
    expect(items.flatMap(({ spec }) => (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute'))).toEqual([])
  }
}

const allReady = async ({ client }: TestCluster) =>
  (await client.list(nodeKind)).items.every(({ status }) => isConditionTrue(status.conditions, 'Ready'))

it.each([
  ['30 minutes', 30 * MINUTE],
  ['7 hours', 7 * HOUR],
  ['400 days', 400 * DAY],
])('a sleep of %s moves no pod, and all nodes are Ready soon after', async (_, ms) => {
  await using cluster = await running()
  const before = await pods(cluster)
  cluster.clock.jump(ms)
  await watched(cluster, 90)
  expect(await allReady(cluster)).toBe(true)
  await cluster.advance(10 * MINUTE)
  expect(await pods(cluster)).toEqual(before)
})

it.each([
  ['7 hours', 7 * HOUR],
  ['400 days', 400 * DAY],
])('a clock that jumps by %s and back moves no pod', async (_, ms) => {
  await using cluster = await running()
  const before = await pods(cluster)
  for (const by of [ms, -ms, -ms, ms]) {
    cluster.clock.setWall(by)
    await watched(cluster, 120)
    expect(await allReady(cluster)).toBe(true)
  }
  expect(await pods(cluster)).toEqual(before)
})

it('a network that comes and goes while the desktop naps moves no pod', async () => {
  await using cluster = await running()
  const before = await pods(cluster)
  for (let round = 0; round < 5; round++) {
    for (const name of cluster.nodes.names) cluster.nodes.silent.add(name)
    await watched(cluster, 120)
    cluster.clock.jump(30 * MINUTE)
    await watched(cluster, 60)
    cluster.nodes.silent.clear()
    cluster.nodes.refresh()
    await watched(cluster, 60)
    expect(await allReady(cluster)).toBe(true)
  }
  expect(await pods(cluster)).toEqual(before)
})
