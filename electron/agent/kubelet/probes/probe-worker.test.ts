import { describe, expect, it } from 'vitest'
import { deferred } from '../../../base/async.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import type { Probe } from '../../../api/core/v1/types.gen.ts'
import { container, pod } from '../../testing/pods.ts'
import { failure, success, unknown } from './probe.ts'
import type { ProbeAnswer, ProbeKind } from './probe.ts'
import { ProbeWorker } from './probe-worker.ts'
import type { ProbeSubject } from './probe-worker.ts'

function open(kind: ProbeKind, probe: Probe, answer?: () => Promise<ProbeAnswer>) {
  const clock = new FakeClock()
  const state = {
    answer: success(),
    looks: 0,
    results: [] as string[],
    subject: null as ProbeSubject | null,
    replaced: [] as string[],
  }
  const base = { pod: pod(), container: container({ name: 'main' }), address: '10.0.0.5' }
  const run = (more: Partial<ProbeSubject> = {}) => {
    state.subject = {
      ...base,
      containerId: 'c1',
      running: true,
      startedAt: clock.now(),
      started: kind !== 'startup',
      terminating: false,
      ...more,
    }
  }
  const worker = new ProbeWorker(kind, probe, {
    clock,
    run: async () => {
      state.looks++
      return answer ? answer() : state.answer
    },
    subject: () => state.subject,
    onResult: (id, result) => state.results.push(`${id} ${result}`),
    onReplaced: (id) => state.replaced.push(id),
    onAnswer: () => undefined,
  })
  return { clock, state, run, worker }
}

describe('a liveness probe', () => {
  it('gives up after so many failures in a row, once for each container', async () => {
    const { clock, state, run, worker } = open('liveness', { periodSeconds: 10, failureThreshold: 3 })
    run()
    worker.start(0)
    await clock.advance(0)
    state.answer = failure('down')
    await clock.advance(10_000)
    state.answer = success()
    await clock.advance(10_000)
    state.answer = failure('down')
    await clock.advance(20_000)
    expect(state.results).not.toContain('c1 failure')
    await clock.advance(10_000)
    expect(state.results.at(-1)).toBe('c1 failure')
    const looks = state.looks
    await clock.advance(60_000)
    expect(state.looks).toBe(looks)
    run({ containerId: 'c2' })
    await clock.advance(10_000)
    expect(state.results.at(-1)).toBe('c2 success')
    expect(state.replaced).toEqual(['c1'])
    expect(state.looks).toBeGreaterThan(looks)
  })

  it('waits for the initial delay and for the startup probe, and ends with the pod', async () => {
    const { clock, state, run, worker } = open('liveness', { initialDelaySeconds: 15, periodSeconds: 5 })
    run({ started: false })
    worker.start(0)
    await clock.advance(14_000)
    expect(state.looks).toBe(0)
    await clock.advance(10_000)
    expect(state.looks).toBe(0)
    state.subject = { ...(state.subject as ProbeSubject), started: true }
    await clock.advance(5000)
    expect(state.looks).toBe(1)
    state.subject = { ...state.subject, terminating: true }
    await clock.advance(20_000)
    expect(state.looks).toBe(1)
  })

  it('counts a look that failed by itself as nothing, after trying again', async () => {
    const { clock, state, run, worker } = open('liveness', { periodSeconds: 10, failureThreshold: 1 })
    run()
    state.answer = unknown('no runtime')
    worker.start(0)
    await clock.advance(0)
    expect(state.looks).toBe(3)
    expect(state.results).toEqual(['c1 success'])
  })
})

describe('a readiness probe', () => {
  it('begins with not ready, and goes on while the pod ends', async () => {
    const { clock, state, run, worker } = open('readiness', { periodSeconds: 10, successThreshold: 2 })
    run()
    worker.start(0)
    await clock.advance(0)
    expect(state.results).toEqual(['c1 failure'])
    await clock.advance(10_000)
    expect(state.results.at(-1)).toBe('c1 success')
    run({ terminating: true })
    state.answer = failure('stopping')
    await clock.advance(30_000)
    expect(state.results.at(-1)).toBe('c1 failure')
  })

  it('says not ready of a container that does not run', async () => {
    const { clock, state, run, worker } = open('readiness', { periodSeconds: 10 })
    run()
    worker.start(0)
    await clock.advance(0)
    run({ running: false })
    await clock.advance(10_000)
    expect(state.results.at(-1)).toBe('c1 failure')
  })

  it('takes over what was known before a restart of the agent', async () => {
    const { clock, state, run, worker } = open('readiness', { periodSeconds: 10, failureThreshold: 3 })
    run()
    worker.adopt('c1', 'success')
    state.answer = failure('hiccup')
    worker.start(5000)
    await clock.advance(5000)
    expect(state.results).toEqual(['c1 success'])
  })

  it('counts its looks from before such a verdict was known, and has none of its own until they are enough', async () => {
    const { clock, state, run, worker } = open('readiness', { periodSeconds: 10, failureThreshold: 3 })
    run()
    state.answer = failure('down')
    worker.start(0)
    await clock.advance(0)
    expect(worker.hasVerdict).toBe(false)
    worker.adopt('c1', 'success')
    await clock.advance(10_000)
    expect(state.results).toEqual(['c1 failure', 'c1 success'])
    await clock.advance(10_000)
    expect(state.results.at(-1)).toBe('c1 failure')
    expect(worker.hasVerdict).toBe(true)
  })
})

describe('a startup probe', () => {
  it('has no say any more once it is known that the container has come up, even if a look is under way', async () => {
    const answer = deferred<ProbeAnswer>()
    const { clock, state, run, worker } = open('startup', { periodSeconds: 1, failureThreshold: 1 }, () => answer.promise)
    run()
    worker.start(0)
    await clock.advance(0)
    worker.adopt('c1', 'success')
    answer.resolve(failure('busy'))
    await clock.advance(5000)
    expect(state.results).toEqual(['c1 unknown', 'c1 success'])
  })

  it('looks until it has a verdict, and no longer', async () => {
    const { clock, state, run, worker } = open('startup', { periodSeconds: 1, failureThreshold: 30 })
    run()
    state.answer = failure('not yet')
    worker.start(0)
    await clock.advance(10_000)
    expect(state.results).toEqual(['c1 unknown'])
    state.answer = success()
    await clock.advance(1000)
    expect(state.results.at(-1)).toBe('c1 success')
    const looks = state.looks
    await clock.advance(10_000)
    expect(state.looks).toBe(looks)
  })
})
