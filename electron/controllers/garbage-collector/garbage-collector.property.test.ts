import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configMap } from '../../api/core/v1/config-map.ts'
import type { ConfigMap } from '../../api/core/v1/types.gen.ts'
import { seededRandom } from '../../base/random.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { ownerReference } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['garbage-collector-controller']
const SIZE = 9

type Policy = 'Background' | 'Foreground' | 'Orphan'

/** Objects own later ones; then some are deleted, one after the other. */
const scenario = fc.record({
  owners: fc.array(fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: 3 }), { minLength: SIZE, maxLength: SIZE }),
  blocking: fc.boolean(),
  deletions: fc.array(fc.record({ target: fc.nat(SIZE - 1), policy: fc.constantFrom<Policy>('Background', 'Foreground', 'Orphan') }), {
    minLength: 1,
    maxLength: 4,
  }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

const nameOf = (index: number) => `o-${index}`
const earlier = (owners: Scenario['owners'], index: number) => (owners[index] ?? []).filter((owner) => owner < index)

async function build(cluster: TestCluster, { owners, blocking }: Scenario): Promise<void> {
  const made: ConfigMap[] = []
  for (let i = 0; i < SIZE; i++) {
    const references = earlier(owners, i).flatMap((owner) => {
      const object = made[owner]
      return object ? [{ ...ownerReference(object, configMap), blockOwnerDeletion: blocking }] : []
    })
    made.push(await cluster.client.create(configMap, { metadata: { name: nameOf(i), namespace: NAMESPACE, ownerReferences: references } }))
  }
  await cluster.quiet()
}

/** What is left in the end: by name, with its owners. */
function expected({ owners, deletions }: Scenario): Record<string, string[]> {
  const left = new Map(Array.from({ length: SIZE }, (_, i) => [i, new Set(earlier(owners, i))]))
  const remove = (target: number, orphans: boolean) => {
    if (!left.delete(target)) return
    for (const [dependent, its] of left) if (its.delete(target) && its.size === 0 && !orphans) remove(dependent, false)
  }
  for (const { target, policy } of deletions) remove(target, policy === 'Orphan')
  return Object.fromEntries([...left].map(([index, its]) => [nameOf(index), [...its].map(nameOf).sort()]))
}

async function actual({ client }: TestCluster): Promise<Record<string, string[]>> {
  const { items } = await client.list(configMap, { namespace: NAMESPACE })
  const mine = items.filter(({ metadata }) => metadata.name.startsWith('o-'))
  return Object.fromEntries(mine.map(({ metadata }) => [metadata.name, (metadata.ownerReferences ?? []).map(({ name }) => name).sort()]))
}

async function run(cluster: TestCluster, chosen: Scenario, pause: number): Promise<void> {
  const { client } = cluster
  for (const { target, policy } of chosen.deletions) {
    const { items } = await client.list(configMap, { namespace: NAMESPACE })
    if (items.some(({ metadata }) => metadata.name === nameOf(target))) {
      await client.delete(configMap, { namespace: NAMESPACE, name: nameOf(target) }, { propagationPolicy: policy })
    }
    await cluster.quiet()
    await cluster.advance(pause)
  }
}

describe('owners and dependents of any shape', () => {
  it('are left as the deletions ask, and then are still', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (chosen) => {
        await using cluster = await startCluster({ only })
        await build(cluster, chosen)
        await run(cluster, chosen, 2000)
        expect(await actual(cluster)).toEqual(expected(chosen))
        expect(cluster.complaints).toEqual([])
        const { length } = cluster.writes
        await cluster.advance(600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 4, numRuns: 60, endOnFailure: true },
    )
  }, 60_000)

  it('are left the same when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(1000), async (chosen, seed) => {
        const faults: Faults = {}
        await using cluster = await startCluster({ only, wrap: (client) => faultyClient(client, faults, seededRandom(seed)) })
        await build(cluster, chosen)
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, brokenWatches: 0.05 })
        await run(cluster, chosen, 120_000)
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, brokenWatches: 0 })
        await cluster.advance(600_000)
        expect(await actual(cluster)).toEqual(expected(chosen))
      }),
      { seed: 8, numRuns: 20, endOnFailure: true },
    )
  }, 60_000)
})
