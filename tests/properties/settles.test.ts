import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectDeclared } from './declared.ts'
import { calmSteps, play, Story, stormySteps, type Step } from './steps.ts'
import { startWatcher } from './watcher.ts'
import { startWorld } from './world.ts'

const MINUTE = 60_000
const NODES = ['node-0', 'node-1', 'node-2']

async function live(steps: readonly Step[], seed: number): Promise<void> {
  await using world = await startWorld(NODES, play, seed)
  await using watcher = await startWatcher(world)
  const story = new Story(world, watcher, NODES)
  await world.advance(MINUTE)
  for (const step of steps) {
    await story.act(step)
    if (watcher.violations.length > 0) break
  }
  expect(watcher.violations).toEqual([])
  await story.mend()
  // Back-offs of what could not be done for long go up to 1000 s.
  await world.advance(25 * MINUTE)
  await expectDeclared(world.client)
  expect(watcher.violations).toEqual([])
  expect(world.errors).toEqual([])
  expect(world.writes.length).toBeLessThan(100 + 60 * steps.length + 20 * watcher.created)
  const before = world.writes.length
  await world.advance(20 * MINUTE)
  expect(world.writes.slice(before)).toEqual([])
}

/** More for who looks for defects: `FLOTILLA_RUNS=200 FLOTILLA_SEED=5`. */
const runs = (usual: number) => Number(process.env['FLOTILLA_RUNS'] ?? usual)
const seed = Number(process.env['FLOTILLA_SEED'] ?? 21)

describe('a whole cluster', () => {
  it('comes to what is declared within surge, unavailability, quota and capacity, and then is still', async () => {
    await fc.assert(fc.asyncProperty(calmSteps, fc.nat(1000), live), { seed, numRuns: runs(6), endOnFailure: true })
  }, 3_600_000)

  it('does so also when nodes come and go, pods are evicted, calls fail and managers crash', async () => {
    await fc.assert(fc.asyncProperty(stormySteps, fc.nat(1000), live), { seed, numRuns: runs(10), endOnFailure: true })
  }, 3_600_000)
})
