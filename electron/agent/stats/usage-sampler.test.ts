import { expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import type { Cri } from '../runtime/cri.ts'
import { UsageSampler } from './usage-sampler.ts'

/** A container that uses half a core, from its first measurement on. */
function sampled() {
  const clock = new FakeClock()
  let asked = 0
  const usages = async () => {
    asked++
    const elapsed = clock.monotonic()
    return [{ id: 'c', at: clock.now(), cpuNanoSeconds: elapsed * 500_000 }]
  }
  const sampler = new UsageSampler({ cri: { usages } as unknown as Cri, clock })
  return { clock, speed: async () => (await sampler.measure()).get('c')?.nanoCores, asked: () => asked }
}

it('tells a speed as soon as two measurements are a second apart, and keeps it for a while', async () => {
  const { clock, speed, asked } = sampled()
  expect(await speed()).toBeNull()
  await clock.advance(500)
  expect([await speed(), asked()]).toEqual([null, 1])
  await clock.advance(600)
  expect([await speed(), asked()]).toEqual([500_000_000, 2])
  await clock.advance(4000)
  expect([await speed(), asked()]).toEqual([500_000_000, 2])
  await clock.advance(2000)
  expect([await speed(), asked()]).toEqual([500_000_000, 3])
})
