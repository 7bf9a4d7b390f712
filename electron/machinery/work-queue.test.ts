import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { DelayHeap } from './delay-heap.ts'
import { exponentialLimiter } from './rate-limiter.ts'
import { WorkQueue } from './work-queue.ts'

fc.configureGlobal({ seed: 1 })

const setUp = () => {
  const clock = new FakeClock()
  return { clock, queue: new WorkQueue<string>({ clock, rateLimiter: exponentialLimiter(5, 1_000_000) }) }
}
const take = async (queue: WorkQueue<string>): Promise<string[]> => {
  const keys: string[] = []
  while (queue.length > 0) keys.push((await queue.get()) ?? '')
  return keys
}

describe('WorkQueue', () => {
  it('hands out keys in the order in which they went in, each once', async () => {
    const { queue } = setUp()
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
    expect(queue.length).toBe(3)
    expect(await take(queue)).toEqual(['a', 'b', 'c'])
    expect(queue.processing).toBe(3)
  })

  it('holds back a key that is worked on until it is done', async () => {
    const { queue } = setUp()
    queue.add('a')
    expect(await queue.get()).toBe('a')
    queue.add('a')
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(await take(queue)).toEqual(['a'])
    queue.done('a')
    expect(queue.length).toBe(0)
    expect(queue.processing).toBe(0)
  })

  it('gives keys to those who wait, in the order in which they came', async () => {
    const { queue } = setUp()
    const first = queue.get()
    const second = queue.get()
    queue.add('a')
    queue.add('b')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
    queue.add('a')
    expect(queue.length).toBe(0)
  })

  it('ignores done for what was not handed out', () => {
    const { queue } = setUp()
    queue.add('a')
    queue.done('a')
    expect(queue.length).toBe(1)
  })

  it('adds a key after a delay, the shortest of several', async () => {
    const { queue, clock } = setUp()
    queue.addAfter('a', 1000)
    queue.addAfter('b', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 5000)
    queue.addAfter('now', 0)
    expect(await take(queue)).toEqual(['now'])
    await clock.advance(99)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(await take(queue)).toEqual(['a'])
    await clock.advance(10_000)
    expect(await take(queue)).toEqual(['b'])
    expect(clock.pending).toBe(0)
  })

  it('waits longer after each failure, until the key is forgotten', async () => {
    const { queue, clock } = setUp()
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      queue.addRateLimited('a')
      const start = clock.now()
      while (queue.length === 0) await clock.advance(1)
      waits.push(clock.now() - start)
      await take(queue)
      queue.done('a')
    }
    expect(waits).toEqual([5, 10, 20, 40])
    expect(queue.retries('a')).toBe(4)
    queue.forget('a')
    expect(queue.retries('a')).toBe(0)
  })

  it('when closed takes no more, hands out what waits, then ends', async () => {
    const { queue, clock } = setUp()
    queue.add('a')
    queue.addAfter('b', 10)
    queue.close()
    queue.add('c')
    await clock.advance(100)
    expect(await queue.get()).toBe('a')
    expect(await queue.get()).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('ends the wait of those who wait when it is closed', async () => {
    const { queue } = setUp()
    const waiting = queue.get()
    queue[Symbol.dispose]()
    expect(await waiting).toBeUndefined()
  })

  it('drains: waits for what is worked on', async () => {
    const { queue } = setUp()
    queue.add('a')
    await queue.get()
    let drained = false
    const ending = queue.drain().then(() => (drained = true))
    await settle()
    expect(drained).toBe(false)
    queue.done('a')
    await ending
    expect(drained).toBe(true)
  })

  it('reports depth and times', async () => {
    const clock = new FakeClock()
    const seen: string[] = []
    const queue = new WorkQueue<string>({
      clock,
      observer: {
        added: (depth) => void seen.push(`added ${depth}`),
        taken: (waited, depth) => void seen.push(`taken ${waited} ${depth}`),
        done: (worked) => void seen.push(`done ${worked}`),
        retried: () => void seen.push('retried'),
      },
    })
    queue.add('a')
    await clock.advance(30)
    await queue.get()
    await clock.advance(12)
    queue.done('a')
    queue.addAfter('a', 5)
    expect(seen).toEqual(['added 1', 'taken 30 0', 'done 12', 'retried'])
    queue.close()
  })

  it('never has a key twice at work, and loses none', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constant('later' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constantFrom('get' as const, 'done' as const, 'time' as const), key: fc.constant('') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { queue, clock } = setUp()
        const working: string[] = []
        const owed = new Set<string>()
        for (const { do: what, key } of steps) {
          if (what === 'add' || what === 'later') {
            owed.add(key)
            if (what === 'add') queue.add(key)
            else queue.addAfter(key, 10)
          } else if (what === 'time') await clock.advance(10)
          else if (what === 'get' && queue.length > 0) {
            const taken = (await queue.get()) ?? ''
            expect(working).not.toContain(taken)
            working.push(taken)
            owed.delete(taken)
          } else if (what === 'done') {
            const finished = working.shift()
            if (finished !== undefined) queue.done(finished)
          }
        }
        for (const key of working) queue.done(key)
        await clock.advance(100)
        const rest = new Set(await take(queue))
        for (const key of owed) expect(rest).toContain(key)
      }),
    )
  })
})

describe('DelayHeap', () => {
  it('gives keys in the order of their times, of equal ones in that of their coming', () => {
    const pushes = fc.array(fc.record({ key: fc.nat(20), at: fc.nat(50) }))
    fc.assert(
      fc.property(pushes, fc.nat(60), (list, now) => {
        const heap = new DelayHeap<number>()
        const best = new Map<number, { at: number; order: number }>()
        for (const [order, { key, at }] of list.entries()) {
          heap.push(key, at)
          const known = best.get(key)
          if (!known) best.set(key, { at, order })
          else if (at < known.at) known.at = at
        }
        const wanted = [...best].sort(([, a], [, b]) => a.at - b.at || a.order - b.order).map(([key]) => key)
        const due = wanted.filter((key) => (best.get(key)?.at ?? 0) <= now)
        expect(heap.popUntil(now)).toEqual(due)
        expect(heap.size).toBe(wanted.length - due.length)
        expect(heap.popUntil(Number.POSITIVE_INFINITY)).toEqual(wanted.slice(due.length))
        expect(heap.nextAt).toBeUndefined()
      }),
    )
  })
})
