import { describe, expect, it } from 'vitest'
import { AsyncQueue, mapLimit, Mutex } from './async.ts'

describe('AsyncQueue', () => {
  it('hands out what was pushed, in order, then the end', async () => {
    const queue = new AsyncQueue<number | undefined>()
    for (let i = 0; i < 3000; i++) queue.push(i)
    queue.push(undefined)
    queue.end()
    const got: (number | undefined)[] = []
    for await (const item of queue) got.push(item)
    expect(got).toEqual([...Array.from({ length: 3000 }, (_, i) => i), undefined])
  })

  it('gives a waiting consumer the next item, and what waits before an error', async () => {
    const queue = new AsyncQueue<string>()
    const first = queue.next()
    queue.push('a')
    expect(await first).toEqual({ value: 'a', done: false })
    queue.push('b')
    queue.fail(new Error('broken'))
    expect(await queue.next()).toEqual({ value: 'b', done: false })
    await expect(queue.next()).rejects.toThrow('broken')
    expect(await queue.next()).toEqual({ value: undefined, done: true })
  })

  it('fails with overflow instead of growing without end', async () => {
    const queue = new AsyncQueue<number>({ limit: 2, overflow: () => new Error('too slow') })
    queue.push(1)
    queue.push(2)
    queue.push(3)
    await expect(queue.next()).rejects.toThrow('too slow')
  })
})

describe('Mutex', () => {
  it('runs one task at a time, in order, and goes on after one that failed', async () => {
    const mutex = new Mutex()
    const order: string[] = []
    const task = (name: string) => async () => {
      order.push(`${name}+`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name}-`)
      if (name === 'b') throw new Error('b fails')
    }
    const results = await Promise.allSettled([mutex.run(task('a')), mutex.run(task('b')), mutex.run(task('c'))])
    expect(order).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

describe('mapLimit', () => {
  it('keeps order, keeps to the limit, and throws the first failure', async () => {
    let running = 0
    let most = 0
    const double = async (n: number) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      if (n === 99) throw new Error('no 99')
      return n * 2
    }
    expect(await mapLimit([1, 2, 3, 4, 5], 2, double)).toEqual([2, 4, 6, 8, 10])
    expect(most).toBe(2)
    await expect(mapLimit([1, 99, 3], 2, double)).rejects.toThrow('no 99')
  })
})
