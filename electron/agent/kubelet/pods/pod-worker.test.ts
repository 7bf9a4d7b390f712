import { describe, expect, it } from 'vitest'
import { sleep } from '../../../base/clock.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { pod } from '../../testing/pods.ts'
import { PodState } from './pod-state.ts'
import { PodWorker } from './pod-worker.ts'
import type { PodStages } from './pod-worker.ts'

function open(more: Partial<PodStages> = {}) {
  const clock = new FakeClock()
  const calls: string[] = []
  const note = (name: string) => async () => void calls.push(name)
  const stages: PodStages = {
    tell: () => undefined,
    run: async () => {
      calls.push('run')
      return 60_000
    },
    end: note('end'),
    release: note('release'),
    clear: note('clear'),
    ...more,
  }
  let cleared = false
  const worker = new PodWorker(new PodState(pod()), { clock, logger: silentLogger, stages, onCleared: () => (cleared = true) })
  return { clock, calls, worker, isCleared: () => cleared }
}
const deleted = (grace: number) => pod({}, { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: grace })

describe('PodWorker', () => {
  it('looks when it is woken, and after the time that it was told', async () => {
    const { clock, calls, worker } = open()
    worker.wake()
    await clock.advance(0)
    expect(calls).toEqual(['run'])
    await clock.advance(59_000)
    expect(calls).toEqual(['run'])
    await clock.advance(1000)
    expect(calls).toEqual(['run', 'run'])
  })

  it('never runs twice at a time: what happens meanwhile makes it look once more', async () => {
    let running = 0
    let most = 0
    let runs = 0
    const { clock, worker } = open({
      run: async () => {
        most = Math.max(most, ++running)
        runs++
        await sleep(clock, 1000)
        running--
        return 60_000
      },
    })
    worker.wake()
    await clock.advance(100)
    for (let i = 0; i < 5; i++) worker.wake()
    await clock.advance(5000)
    expect([most, runs]).toEqual([1, 2])
  })

  it('leads a pod through all stages, and clears it only when the API has it no more', async () => {
    const { clock, calls, worker, isCleared } = open()
    worker.wake()
    await clock.advance(0)
    worker.update(deleted(30))
    await clock.advance(0)
    expect(calls).toEqual(['run', 'end', 'release'])
    expect(worker.stage).toBe('ended')
    worker.remove()
    await clock.advance(0)
    expect(calls.at(-1)).toBe('clear')
    expect(isCleared()).toBe(true)
  })

  it('interrupts what it does when the pod is to end, and ends it sooner when that is wanted', async () => {
    const given: string[] = []
    const { clock, worker } = open({
      run: async (_state, signal) => {
        await sleep(clock, 1e6, signal)
        return 0
      },
      end: async (state, signal) => {
        given.push(`end within ${state.pod.metadata.deletionGracePeriodSeconds}`)
        await sleep(clock, 1000 * (state.pod.metadata.deletionGracePeriodSeconds ?? 0), signal)
      },
    })
    worker.wake()
    await clock.advance(10)
    worker.update(deleted(300))
    await clock.advance(1000)
    worker.update(deleted(2))
    await clock.advance(2100)
    expect(given).toEqual(['end within 300', 'end within 2'])
    expect(worker.stage).toBe('ended')
  })

  it('tries again after ever longer times, and at once when something happens', async () => {
    const clock0: number[] = []
    const { clock, worker } = open({
      run: async () => {
        clock0.push(clock.now())
        throw new Error('no')
      },
    })
    worker.wake()
    await clock.advance(3500)
    const [first = 0] = clock0
    expect(clock0.map((at) => at - first)).toEqual([0, 500, 1500, 3500])
    worker.wake()
    await clock.advance(0)
    expect(clock0).toHaveLength(5)
  })

  it('ends a pod that the node gives up, with its reason', async () => {
    const { clock, calls, worker } = open()
    worker.wake()
    await clock.advance(0)
    worker.fail('Evicted', 'no memory', 1)
    await clock.advance(0)
    expect(worker.state).toMatchObject({ failure: { reason: 'Evicted', message: 'no memory' }, failureGrace: 1 })
    expect(calls).toEqual(['run', 'end', 'release'])
  })

  it('leaves everything as it is when the agent stops', async () => {
    const { clock, calls, worker } = open()
    worker.wake()
    await clock.advance(0)
    await worker[Symbol.asyncDispose]()
    worker.remove()
    await clock.advance(100_000)
    expect(calls).toEqual(['run'])
  })
})
