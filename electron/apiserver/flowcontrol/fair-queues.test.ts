import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { FairQueues, type Place, type QueueSettings, type Verdict } from './fair-queues.ts'
import { handOf } from './shuffle-sharding.ts'

const NEVER = new AbortController().signal
let clock: FakeClock
let demand: number
beforeEach(() => {
  clock = new FakeClock()
  demand = 0
})

function queues(limit: number, settings: Partial<QueueSettings> = {}): FairQueues {
  const made = new FairQueues(clock, (seats) => (demand = seats))
  made.configure({ queues: 8, lengthLimit: 3, patience: 1000, ...settings })
  made.limit = limit
  return made
}
const enter = (level: FairQueues, hand: readonly number[] = [0], width = 1, signal = NEVER) =>
  level.enter({ hand, width, signal }, clock.monotonic())
const seated = (verdict: Verdict | Promise<Verdict>): Place => {
  expect(verdict).toEqual({ leave: expect.any(Function) as () => void })
  return verdict as Place
}
/** In the order in which they are served. */
function follow(waiting: Readonly<Record<string, Verdict | Promise<Verdict>>>): { readonly order: string[]; readonly places: Place[] } {
  const seen = { order: [] as string[], places: [] as Place[] }
  for (const [name, verdict] of Object.entries(waiting)) {
    void Promise.resolve(verdict).then((late) => {
      seen.order.push(typeof late === 'string' ? `${name}: ${late}` : name)
      if (typeof late !== 'string') seen.places.push(late)
    })
  }
  return seen
}

describe('a level', () => {
  it('gives seats at once while there are some, and then as they become free', async () => {
    const level = queues(2)
    const first = seated(enter(level))
    seated(enter(level))
    const third = enter(level)
    expect([level.taken, level.executing, level.waiting, demand]).toEqual([2, 2, 1, 3])
    first.leave(clock.monotonic())
    seated(await third)
    expect([level.taken, level.waiting, demand]).toEqual([2, 0, 2])
  })

  it('refuses who finds a queue full, and one after the other who waited too long or went away', async () => {
    const level = queues(1)
    seated(enter(level))
    const gone = new AbortController()
    const seen = follow({ a: enter(level), b: enter(level, [0], 1, gone.signal), c: enter(level), d: enter(level) })
    await clock.advance(0)
    expect(seen.order).toEqual(['d: queue-full'])
    gone.abort()
    await clock.advance(1000)
    expect(seen.order).toEqual(['d: queue-full', 'b: cancelled', 'a: time-out', 'c: time-out'])
    expect([level.waiting, demand]).toEqual([0, 1])
  })

  it('without queues refuses whoever finds no seat', () => {
    const level = queues(1, { queues: 0 })
    const place = seated(enter(level, []))
    expect(enter(level, [])).toBe('concurrency-limit')
    place.leave(clock.monotonic())
    seated(enter(level, []))
  })

  it('lets who asks little go before the many of who asks much', async () => {
    const level = queues(1, { lengthLimit: 100 })
    const first = seated(enter(level, [0]))
    const greedy = Array.from({ length: 50 }, () => enter(level, [0]))
    const seen = follow({ modest: enter(level, [1]), greedy: greedy[1] as Promise<Verdict> })
    await clock.advance(10)
    first.leave(clock.monotonic())
    const second = await Promise.race([greedy[0] as Promise<Verdict>, Promise.resolve().then(() => null)])
    await clock.advance(10)
    if (second) seated(second).leave(clock.monotonic())
    await clock.advance(0)
    expect(seen.order).toEqual(['modest'])
  })

  it('shares seats alike between flows, however many requests each has', async () => {
    const level = queues(1, { lengthLimit: 1000, patience: 1_000_000 })
    const served = { much: 0, little: 0 }
    let holder = seated(enter(level, [7]))
    const ask = (flow: keyof typeof served, hand: number) =>
      void Promise.resolve(enter(level, [hand])).then((place) => {
        served[flow]++
        holder = place as Place
      })
    for (let i = 0; i < 300; i++) ask('much', 0)
    for (let i = 0; i < 60; i++) ask('little', 1)
    for (let i = 0; i < 100; i++) {
      await clock.advance(5)
      holder.leave(clock.monotonic())
      await clock.advance(0)
    }
    expect(Math.abs(served.much - served.little)).toBeLessThanOrEqual(2)
  })

  it('serves one that is wider than all seats alone', async () => {
    const level = queues(2)
    const wide = seated(enter(level, [0], 5))
    const next = enter(level, [1])
    expect(level.waiting).toBe(1)
    wide.leave(clock.monotonic())
    seated(await next)
  })

  it('has room for who waits as soon as it gets more seats', async () => {
    const level = queues(1)
    seated(enter(level))
    const waiting = enter(level)
    level.limit = 2
    seated(await waiting)
  })

  it('keeps who waits when it gets other queues', async () => {
    const level = queues(1)
    const first = seated(enter(level, [7]))
    const waiting = enter(level, [7])
    level.configure({ queues: 2, lengthLimit: 1, patience: 1000 })
    first.leave(clock.monotonic())
    seated(await waiting).leave(clock.monotonic())
    seated(enter(level, [1])).leave(clock.monotonic())
    expect([level.taken, level.executing, demand]).toEqual([0, 0, 0])
  })
})

describe('a hand', () => {
  it('is of different queues, and always the same for a flow', () => {
    const hand = handOf('schema', 'ada', 64, 8)
    expect(new Set(hand).size).toBe(8)
    expect(hand.every((queue) => queue >= 0 && queue < 64)).toBe(true)
    expect(handOf('schema', 'ada', 64, 8)).toEqual(hand)
    expect(handOf('schema', 'bob', 64, 8)).not.toEqual(hand)
    expect(handOf('schema', 'ada', 4, 4).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })

  it('uses all queues alike over many flows', () => {
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < 2000; i++) for (const queue of handOf('schema', `user ${i}`, 16, 4)) counts[queue] = (counts[queue] ?? 0) + 1
    expect(Math.min(...counts)).toBeGreaterThan(400)
    expect(Math.max(...counts)).toBeLessThan(600)
  })
})
