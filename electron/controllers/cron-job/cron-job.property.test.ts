import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cronJob as cronJobKind } from '../../api/batch/v1/cron-job.ts'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { isFinished } from '../job/finished.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'
import { cronJobOf, runningOnce } from '../testing/objects.ts'

const at = { namespace: NAMESPACE, name: 'timed' }
const scenario = fc.record({
  concurrencyPolicy: fc.constantFrom('Allow' as const, 'Forbid' as const, 'Replace' as const),
  /** Of each job, in seconds. */
  lengths: fc.array(fc.integer({ min: 5, max: 200 }), { minLength: 1, maxLength: 4 }),
  fails: fc.boolean(),
  faulty: fc.boolean(),
  seed: fc.nat(1000),
})

describe('timed jobs of any kind', () => {
  it('run once for each time, no two at a time where they must not, and leave only as many as are kept', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ concurrencyPolicy, lengths, fails, faulty, seed }) => {
        const faults: Faults = {}
        const only = ['cronjob-controller', 'job-controller']
        await using cluster = await startCluster({
          only,
          hollow: { nodes: 1 },
          wrap: (client) => faultyClient(client, faults, seededRandom(seed)),
        })
        const { client, clock, nodes } = cluster
        let number = 0
        const ends = new Map<string, number>()
        nodes.behaviour = ({ metadata }) => {
          const end = ends.get(metadata.uid) ?? clock.now() + (lengths[number++ % lengths.length] ?? 0) * 1000
          ends.set(metadata.uid, end)
          return clock.now() < end ? 'ready' : fails ? 'fail' : 'succeed'
        }
        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const jobs = informers.for(jobKind)
        const violations: string[] = []
        const seen = new Set<string>()
        jobs.on({
          add({ metadata }) {
            if (seen.has(metadata.name)) violations.push(`${metadata.name} a second time`)
            seen.add(metadata.name)
            const running = jobs.list().filter((job) => !isFinished(job))
            if (concurrencyPolicy !== 'Allow' && running.length > 1) violations.push(`${running.length} jobs at a time`)
          },
        })
        await informers.start()
        if (faulty) Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        const jobTemplate = { spec: { backoffLimit: 0, template: runningOnce() } }
        await client.create(cronJobKind, cronJobOf('timed', { concurrencyPolicy, jobTemplate, successfulJobsHistoryLimit: 2 }))
        for (let i = 0; i < 60; i++) {
          await cluster.advance(10_000)
          nodes.refresh()
        }
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await client.patch(cronJobKind, at, { type: 'merge', body: { spec: { suspend: true } } })
        for (let i = 0; i < 40; i++) {
          await cluster.advance(10_000)
          nodes.refresh()
        }
        await cluster.quiet()
        expect(violations).toEqual([])
        if (concurrencyPolicy !== 'Forbid') expect(seen.size).toBeGreaterThanOrEqual(faulty ? 7 : 9)
        const { status } = await client.get(cronJobKind, at)
        expect(status.active).toBeUndefined()
        expect((await client.list(jobKind, { namespace: NAMESPACE })).items.length).toBeLessThanOrEqual(fails ? 1 : 2)
        const { length } = cluster.writes
        await cluster.advance(3_600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 6, numRuns: 15, endOnFailure: true },
    )
  }, 120_000)
})
