/** The rule that a worker outlives the desktop, as all who could break it keep it together. */
import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Toleration } from '../../api/core/v1/types.gen.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { createControllers } from '../controllers.ts'
import { NOT_READY, UNREACHABLE } from '../node/taints.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const only = ['node-lifecycle-controller', 'taint-eviction-controller', 'pod-garbage-collector-controller']
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Gone as soon as anybody doubts its node. */
const NERVOUS = [NOT_READY, UNREACHABLE].map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 }))

async function start(faults: Faults = {}): Promise<TestCluster> {
  const wrap: Parameters<typeof startCluster>[0]['wrap'] = (client) => faultyClient(client, faults, seededRandom(5))
  const cluster = await startCluster({ only, hollow: { nodes: 3, heartbeats: true }, wrap })
  for (let i = 0; i < 3; i++) {
    for (const [name, tolerations] of [
      [`calm-${i}`, []],
      [`nervous-${i}`, NERVOUS],
    ] as const) {
      const spec = { ...template({}).spec, nodeName: `node-${i}`, tolerations: [...tolerations] }
      await cluster.client.create(podKind, { metadata: { name, namespace: NAMESPACE }, spec })
    }
  }
  await cluster.advance(MINUTE)
  return cluster
}

const names = async ({ client }: TestCluster) =>
  (await client.list(podKind, { namespace: NAMESPACE })).items.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : metadata.name))

function silence({ nodes }: TestCluster, ...indices: number[]): void {
  for (const index of indices) nodes.silent.add(`node-${index}`)
}

function wake({ nodes }: TestCluster): void {
  nodes.silent.clear()
  nodes.refresh()
}

describe('pods of a desktop', () => {
  it('go from a node that is dead: at once where they are nervous, else after five minutes', async () => {
    await using cluster = await start()
    silence(cluster, 2)
    await cluster.advance(65_000)
    expect(await names(cluster)).toEqual(['calm-0', 'calm-1', 'calm-2', 'nervous-0', 'nervous-1'])
    await cluster.advance(4 * MINUTE)
    expect(await names(cluster)).toContain('calm-2')
    await cluster.advance(MINUTE)
    expect(await names(cluster)).toEqual(['calm-0', 'calm-1', 'nervous-0', 'nervous-1'])
  })

  it('all stay when it has no network for a while, sleeps a night, and has no network again', async () => {
    await using cluster = await start()
    silence(cluster, 0, 1, 2)
    await cluster.advance(15 * MINUTE)
    cluster.clock.jump(9 * HOUR)
    await cluster.advance(5 * MINUTE)
    wake(cluster)
    await cluster.advance(MINUTE)
    silence(cluster, 0, 1, 2)
    await cluster.advance(15 * MINUTE)
    wake(cluster)
    await cluster.advance(10 * MINUTE)
    expect(await names(cluster)).toHaveLength(6)
    expect(cluster.writes.filter((write) => write.startsWith('delete'))).toEqual([])
  })

  it('are not held to what was judged before the app was closed', async () => {
    const faults: Faults = {}
    await using cluster = await start(faults)
    silence(cluster, 2)
    await cluster.advance(4 * MINUTE)
    faults.partitioned = true
    await cluster.advance(MINUTE)
    const nervous = { ...template({}).spec, nodeName: 'node-2', tolerations: NERVOUS }
    await cluster.client.create(podKind, { metadata: { name: 'late', namespace: NAMESPACE }, spec: nervous })
    cluster.clock.jump(8 * HOUR)
    await cluster.advance(10_000)
    const { client, clock } = cluster
    await using again = createControllers({ client, clock, random: seededRandom(1), logger: silentLogger, only })
    await again.start()
    await cluster.advance(30_000)
    wake(cluster)
    await cluster.advance(10 * MINUTE)
    expect(await names(cluster)).toEqual(['calm-0', 'calm-1', 'calm-2', 'late', 'nervous-0', 'nervous-1'])
  })
})
