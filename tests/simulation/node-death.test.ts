/** What the death of a node and the sleep of a desktop cost, with all controllers, the scheduler and simulated nodes at work. */
import { describe, expect, it } from 'vitest'
import { deployment as deploymentKind } from '../../electron/api/apps/v1/deployment.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod, Toleration } from '../../electron/api/core/v1/types.gen.ts'
import { NAMESPACE, startWorld, type World } from '../properties/world.ts'

const NODES = Array.from({ length: 6 }, (_, i) => `node-${i}`)
const REPLICAS = 24
const MINUTE = 60_000
const STEP = 100
/** Gone as soon as their node is given up, so that the time of the default tolerations does not count. */
const AT_ONCE = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 0,
}))

async function start(tolerations: Toleration[] | undefined): Promise<World> {
  const world = await startWorld(NODES, () => ({}), 7)
  const labels = { app: 'web' }
  const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '100m' } } }]
  await world.client.create(deploymentKind, {
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...(tolerations ? { tolerations } : {}) } },
    },
  })
  for (let waited = 0; (await ready(world)).length < REPLICAS && waited < MINUTE; waited += 1000) await world.advance(1000)
  return world
}

const podsOf = async ({ client }: World) => (await client.list(podKind, { namespace: NAMESPACE })).items
const isStaying = ({ metadata, spec }: Pod) => !metadata.deletionTimestamp && Boolean(spec.nodeName)
const ready = async (world: World) =>
  (await podsOf(world)).filter(
    (pod) => isStaying(pod) && pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  )
const isGivenUp = async ({ client }: World, name: string) =>
  (await client.get(nodeKind, { name })).spec.taints?.some(({ effect }) => effect === 'NoExecute') ?? false

describe('a node that dies', () => {
  it('has its pods replaced on others within two seconds of being given up', async () => {
    await using world = await start(AT_ONCE)
    const lost = (await podsOf(world)).filter(({ spec }) => spec.nodeName === 'node-2').map(({ metadata }) => metadata.uid)
    expect(lost.length).toBeGreaterThan(0)
    world.kubelets.silence('node-2')
    for (let waited = 0; !(await isGivenUp(world, 'node-2')) && waited < 2 * MINUTE; waited += STEP) await world.advance(STEP)
    const tainted = world.clock.now()
    const replaced = async () => (await podsOf(world)).filter((pod) => isStaying(pod) && pod.spec.nodeName !== 'node-2').length === REPLICAS
    while (!(await replaced()) && world.clock.now() < tainted + MINUTE) await world.advance(STEP)
    expect(await replaced()).toBe(true)
    expect(world.clock.now() - tainted).toBeLessThanOrEqual(2000)
    // What was on other nodes stayed there.
    const evicted = (await podsOf(world)).filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.uid)
    expect(evicted.toSorted()).toEqual(lost.toSorted())
  })
})

describe('a desktop that sleeps', () => {
  it.each([
    ['for an hour, with nodes that went on', 60 * MINUTE, []],
    ['for a night, with nodes that cannot be reached for a while', 9 * 60 * MINUTE, NODES],
    ['for a night, with a node that answers later than the others', 9 * 60 * MINUTE, ['node-4']],
  ])('%s evicts no pod', async (_, slept, silent) => {
    await using world = await start(AT_ONCE)
    const before = (await podsOf(world)).map(({ metadata }) => metadata.uid).toSorted()
    const writes = world.writes.length
    for (const name of silent) world.kubelets.silence(name)
    world.clock.jump(slept)
    await world.advance(30_000)
    for (const name of silent) world.kubelets.wake(name)
    for (let i = 0; i < 60; i++) await world.advance(10_000)
    expect((await podsOf(world)).map(({ metadata }) => metadata.uid).toSorted()).toEqual(before)
    expect((await ready(world)).length).toBe(REPLICAS)
    expect(world.writes.slice(writes).filter((write) => /^delete pods|eviction/.test(write))).toEqual([])
    for (const name of NODES) expect(await isGivenUp(world, name)).toBe(false)
  })
})
