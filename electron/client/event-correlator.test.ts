import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { EventCorrelator, type Decision, type Occurrence } from './event-correlator.ts'

let clock: FakeClock
let correlator: EventCorrelator
beforeEach(() => {
  clock = new FakeClock()
  correlator = new EventCorrelator(clock)
})

const about = (message: string, more: Partial<Occurrence> & { name?: string } = {}): Occurrence => ({
  regarding: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: more.name ?? 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  },
  namespace: 'ns',
  type: 'Normal',
  reason: 'Pulled',
  message,
  ...more,
})
let names = 0
function record(occurrence: Occurrence): Decision {
  const decision = correlator.decide(occurrence)
  if (decision.type === 'create') correlator.written(occurrence, `e${++names}`)
  return decision
}

describe('occurrences', () => {
  it('that are alike are counted on one Event; another text, reason or object makes another', () => {
    expect(record(about('a'))).toEqual({ type: 'create', message: 'a' })
    expect(record(about('a'))).toMatchObject({ type: 'count', count: 2 })
    expect(record(about('a'))).toMatchObject({ type: 'count', count: 3 })
    for (const other of [about('b'), about('a', { reason: 'Pulling' }), about('a', { name: 'q' }), about('a', { type: 'Warning' })])
      expect(record(other).type).toBe('create')
  })

  it('with more than ten texts within ten minutes are combined', () => {
    for (let i = 0; i < 10; i++) expect(record(about(`m${i}`))).toEqual({ type: 'create', message: `m${i}` })
    expect(record(about('m10'))).toEqual({ type: 'create', message: '(combined from similar events): m10' })
    expect(record(about('m11'))).toMatchObject({ type: 'count', count: 2, message: '(combined from similar events): m11' })
    clock.jump(0)
    expect(record(about('x', { reason: 'Other' }))).toEqual({ type: 'create', message: 'x' })
  })

  it('begin anew after ten quiet minutes', async () => {
    for (let i = 0; i < 12; i++) record(about(`m${i}`))
    await clock.advance(601_000)
    expect(record(about('m99'))).toEqual({ type: 'create', message: 'm99' })
  })

  it('of an object that causes too many are dropped until time has passed', async () => {
    const types = Array.from({ length: 30 }, () => record(about('a')).type)
    expect(types.filter((type) => type === 'drop')).toHaveLength(5)
    expect(record(about('a', { name: 'q' })).type).toBe('create')
    await clock.advance(300_000)
    expect(record(about('a'))).toMatchObject({ type: 'count', count: 31 })
    expect(record(about('a')).type).toBe('drop')
  })
})
