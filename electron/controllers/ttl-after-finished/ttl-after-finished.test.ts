import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { hasReason } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { jobOf } from '../testing/objects.ts'

const only = ['ttl-after-finished-controller', 'job-controller', 'garbage-collector-controller']
const at = { namespace: NAMESPACE, name: 'work' }

const start = async (phase: 'succeed' | 'fail', options: Partial<ClusterOptions> = {}) => {
  const cluster = await startCluster({ only, hollow: { nodes: 1, startDelay: 10_000 }, ...options })
  cluster.nodes.behaviour = () => phase
  return cluster
}
const create = async (cluster: TestCluster, ttlSecondsAfterFinished?: number) => {
  const ttl = ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }
  await cluster.client.create(jobKind, jobOf('work', { backoffLimit: 0, ...ttl }))
  await cluster.quiet()
}
const isThere = async ({ client }: TestCluster) => {
  try {
    return Boolean(await client.get(jobKind, at))
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false
    throw error
  }
}

describe('the TTL-after-finished controller', () => {
  it('deletes a job with its pods when its time is over, however it ended', async () => {
    for (const phase of ['succeed', 'fail'] as const) {
      await using cluster = await start(phase)
      await create(cluster, 30)
      await cluster.advance(11_000)
      await cluster.advance(28_000)
      expect(await isThere(cluster)).toBe(true)
      await cluster.advance(3000)
      expect(await isThere(cluster)).toBe(false)
      expect((await cluster.client.list(podKind, { namespace: NAMESPACE })).items).toEqual([])
      expect(cluster.complaints).toEqual([])
    }
  })

  it('leaves jobs that have not ended, and those that say nothing', async () => {
    await using cluster = await start('succeed')
    await create(cluster)
    await cluster.advance(86_400_000)
    expect(await isThere(cluster)).toBe(true)
  })

  it('deletes at once what is to live no longer', async () => {
    await using cluster = await start('succeed')
    await create(cluster, 0)
    expect(await isThere(cluster)).toBe(true)
    await cluster.advance(11_000)
    expect(await isThere(cluster)).toBe(false)
  })

  it('goes by the time to live as it was changed last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 }), async (times) => {
        await using cluster = await start('succeed')
        await create(cluster, 1000)
        await cluster.advance(11_000)
        let passed = 0
        for (const ttlSecondsAfterFinished of times) {
          if (!(await isThere(cluster))) break
          await cluster.client.patch(jobKind, at, { type: 'merge', body: { spec: { ttlSecondsAfterFinished } } })
          await cluster.advance(20_000)
          passed += 20
          // The job ended up to two seconds before the time is taken.
          if (Math.abs(passed - ttlSecondsAfterFinished) > 3) expect(await isThere(cluster)).toBe(passed < ttlSecondsAfterFinished)
        }
      }),
      { seed: 2, numRuns: 15 },
    )
  })
})
