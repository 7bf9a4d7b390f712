import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Taint, Toleration } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { UNREACHABLE } from '../node/taints.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const only = ['taint-eviction-controller']
const at = { namespace: NAMESPACE, name: 'web' }
const MINE: Taint = { key: 'example.com/mine', value: 'yes', effect: 'NoExecute' }
const LOST: Taint = { key: UNREACHABLE, effect: 'NoExecute' }

/** Pods end when their node ends them, as in life: so they stay until it is asked. */
async function start(): Promise<TestCluster> {
  return startCluster({ only, hollow: { nodes: 1, stopDelay: 1000 }, server: { admission: { tolerationSeconds: 300 } } })
}

async function taint({ client, clock }: TestCluster, ...taints: Taint[]): Promise<void> {
  const dated = taints.map((one) => ({ ...one, timeAdded: formatTime(clock.now() - 3_600_000) }))
  await client.patch(nodeKind, { name: 'node-0' }, { type: 'merge', body: { spec: { taints: dated } } })
}

async function run(cluster: TestCluster, ...tolerations: Toleration[]): Promise<void> {
  const { spec } = template({})
  await cluster.client.create(podKind, { metadata: at, spec: { ...spec, tolerations } })
  await cluster.advance(60_000)
}

async function isEnding({ client }: TestCluster): Promise<boolean> {
  try {
    return (await client.get(podKind, at)).metadata.deletionTimestamp !== undefined
  } catch {
    return true
  }
}

const bears = (tolerationSeconds?: number, key = MINE.key): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
})

describe('the taint eviction controller', () => {
  it('deletes at once what does not bear a taint, and says why', async () => {
    await using cluster = await start()
    await run(cluster)
    await taint(cluster, { ...MINE, effect: 'NoSchedule' })
    await cluster.advance(60_000)
    expect(await isEnding(cluster)).toBe(false)
    await taint(cluster, MINE)
    await cluster.quiet()
    const pod = await cluster.client.get(podKind, at)
    expect(pod.metadata.deletionTimestamp).toBeDefined()
    expect(findCondition(pod.status.conditions, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    })
    expect(await cluster.events('web')).toEqual(['TaintManagerEviction: Marking for deletion Pod test/web'])
    expect(cluster.complaints).toEqual([])
  })

  it('deletes what comes to a tainted node', async () => {
    await using cluster = await start()
    await taint(cluster, MINE)
    await cluster.client.create(podKind, { ...template({}), metadata: at })
    await cluster.quiet()
    expect(await isEnding(cluster)).toBe(true)
  })

  it('lets pods that bear a taint for ever be', async () => {
    await using cluster = await start()
    await run(cluster, bears())
    await taint(cluster, MINE)
    await cluster.advance(3_600_000)
    expect(await isEnding(cluster)).toBe(false)
    expect(await cluster.events('web')).toEqual([])
  })

  it('waits as long as the pod bears it, counted from when it was seen', async () => {
    await using cluster = await start()
    await run(cluster, bears(120), bears(60, 'example.com/other'))
    await taint(cluster, MINE)
    await cluster.advance(119_000)
    expect(await isEnding(cluster)).toBe(false)
    await cluster.advance(1000)
    expect(await isEnding(cluster)).toBe(true)
  })

  it('goes by the shortest patience of several taints', async () => {
    await using cluster = await start()
    await run(cluster, bears(120), bears(60, 'example.com/other'))
    await taint(cluster, MINE, { key: 'example.com/other', effect: 'NoExecute' })
    await cluster.advance(60_000)
    expect(await isEnding(cluster)).toBe(true)
  })

  it('gives up an eviction when the taint goes, and begins to count anew when it comes back', async () => {
    await using cluster = await start()
    await run(cluster, bears(120))
    await taint(cluster, MINE)
    await cluster.advance(100_000)
    await taint(cluster)
    await cluster.quiet()
    expect(await cluster.events('web')).toEqual(['TaintManagerEviction: Cancelling deletion of Pod test/web'])
    await cluster.advance(100_000)
    await taint(cluster, MINE)
    await cluster.advance(100_000)
    expect(await isEnding(cluster)).toBe(false)
    await cluster.advance(20_000)
    expect(await isEnding(cluster)).toBe(true)
  })
})

describe('eviction for the health of nodes', () => {
  it('leaves a judgement of before its start time to be taken back', async () => {
    await using cluster = await start()
    await taint(cluster, LOST)
    await cluster.client.create(podKind, { metadata: at, spec: { ...template({}).spec, tolerations: [bears(0, UNREACHABLE)] } })
    await cluster.advance(14_000)
    expect(await isEnding(cluster)).toBe(false)
    await cluster.advance(1000)
    expect(await isEnding(cluster)).toBe(true)
  })

  it('counts no time that the desktop slept', async () => {
    await using cluster = await start()
    await run(cluster)
    await taint(cluster, LOST)
    await cluster.advance(200_000)
    cluster.clock.jump(3_600_000)
    await cluster.advance(290_000)
    expect(await isEnding(cluster)).toBe(false)
    await cluster.advance(60_000)
    expect(await isEnding(cluster)).toBe(true)
  })
})
