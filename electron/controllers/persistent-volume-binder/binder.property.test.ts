import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { seededRandom } from '../../base/random.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { matchingVolume } from '../../machinery/volumes/match.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { claimOf, volumeOf } from '../testing/storage.ts'

const only = ['persistentvolume-binder-controller', 'persistentvolumeclaim-protection-controller', 'persistentvolume-protection-controller']

const gibibytes = fc.integer({ min: 1, max: 3 })
const mode = fc.constantFrom('ReadWriteOnce' as const, 'ReadOnlyMany' as const)
const className = fc.constantFrom('', 'fast')
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('volume' as const), size: gibibytes, mode, className, claim: fc.option(fc.nat(4)) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('claim' as const), size: gibibytes, mode, className, volume: fc.option(fc.nat(4)) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete claim' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete volume' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('free volume' as const), index: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), milliseconds: fc.nat(2000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Names are few, so that claims come again under names that volumes still know. */
async function act(cluster: TestCluster, doing: Step, count: number): Promise<void> {
  const { client } = cluster
  const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % Math.max(1, items.length)]
  switch (doing.type) {
    case 'volume': {
      const { size, mode: one, className: storageClassName, claim } = doing
      const reserved = claim === null ? {} : { claimRef: { namespace: NAMESPACE, name: `claim-${claim}` } }
      const spec = { capacity: { storage: `${size}Gi` }, accessModes: [one], storageClassName, ...reserved }
      await client.create(volumeKind, volumeOf(`pv-${count}`, spec))
      return
    }
    case 'claim': {
      const { size, mode: one, className: storageClassName, volume } = doing
      const chosen = volume === null ? {} : { volumeName: `pv-${volume}` }
      const spec = { resources: { requests: { storage: `${size}Gi` } }, accessModes: [one], storageClassName, ...chosen }
      await client.create(claimKind, claimOf(`claim-${count % 5}`, spec)).catch((error: unknown) => {
        if (!hasReason(error, 'AlreadyExists')) throw error
      })
      return
    }
    case 'delete claim': {
      const victim = pick((await client.list(claimKind)).items, doing.index)
      if (victim) await client.delete(claimKind, victim.metadata)
      return
    }
    case 'delete volume': {
      const victim = pick((await client.list(volumeKind)).items, doing.index)
      if (victim) await client.delete(volumeKind, victim.metadata)
      return
    }
    case 'free volume': {
      const released = (await client.list(volumeKind)).items.filter(({ status }) => status.phase === 'Released')
      const one = pick(released, doing.index)
      if (one) await client.patch(volumeKind, one.metadata, { type: 'merge', body: { spec: { claimRef: null } } })
      return
    }
    case 'wait':
      await cluster.advance(doing.milliseconds)
  }
}

const world = async ({ client }: TestCluster) => ({
  volumes: (await client.list(volumeKind)).items,
  claims: (await client.list(claimKind)).items,
})

/** True at any time: a claim that says it is bound has its volume to itself. */
function expectFaithful(volumes: readonly PersistentVolume[], claims: readonly PersistentVolumeClaim[]): void {
  const bound = claims.filter(({ status }) => status.phase === 'Bound')
  const names = bound.map(({ spec }) => spec.volumeName ?? '')
  expect(new Set(names).size).toBe(names.length)
  for (const { metadata, spec } of bound) {
    const volume = volumes.find((one) => one.metadata.name === spec.volumeName)
    if (volume) expect(volume.spec.claimRef?.uid).toBe(metadata.uid)
  }
}

/** True once nothing happens any more. */
function expectSettled(volumes: readonly PersistentVolume[], claims: readonly PersistentVolumeClaim[]): void {
  const uids = new Set(claims.map(({ metadata }) => metadata.uid))
  for (const { spec, status } of volumes) {
    const { uid } = spec.claimRef ?? {}
    expect(status.phase).toBe(uid === undefined ? 'Available' : uids.has(uid) ? 'Bound' : 'Released')
  }
  for (const claim of claims) {
    const { spec, status } = claim
    const own = volumes.find((one) => one.metadata.name === spec.volumeName)
    if (status.phase === 'Pending' && !spec.volumeName) expect(matchingVolume(claim, volumes)?.metadata.name).toBeUndefined()
    if (status.phase === 'Lost') expect(own?.spec.claimRef?.uid).not.toBe(claim.metadata.uid)
    if (status.phase === 'Bound') expect(own).toBeDefined()
  }
  expect(claims.filter(isBeingDeleted)).toEqual([])
}

describe('the binder, whatever happens', () => {
  it.each<[what: string, faults: Faults]>([
    ['when all goes well', {}],
    ['when the server is flaky', { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.02 }],
  ])(
    'gives each claim a volume of its own where there is one, %s',
    async (_what, faults) => {
      const scenario = fc.record({ steps: fc.array(step, { minLength: 3, maxLength: 20 }), seed: fc.nat() })
      await fc.assert(
        fc.asyncProperty(scenario, async ({ steps, seed }) => {
          const present: Faults = {}
          await using cluster = await startCluster({ only, wrap: (client) => faultyClient(client, present, seededRandom(seed)) })
          Object.assign(present, faults)
          for (const [count, doing] of steps.entries()) {
            await act(cluster, doing, count)
            const { volumes, claims } = await world(cluster)
            expectFaithful(volumes, claims)
          }
          Object.assign(present, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
          await cluster.advance(120_000)
          const { volumes, claims } = await world(cluster)
          expectFaithful(volumes, claims)
          expectSettled(volumes, claims)
          const before = cluster.writes.length
          await cluster.advance(120_000)
          expect(cluster.writes.slice(before)).toEqual([])
        }),
        { numRuns: 25, seed: 1, endOnFailure: true },
      )
    },
    60_000,
  )
})
