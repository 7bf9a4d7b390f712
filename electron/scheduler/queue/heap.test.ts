import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyedHeap } from './heap.ts'

interface Item {
  readonly key: string
  readonly rank: number
}

const item = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), rank: fc.integer({ min: 0, max: 20 }) })
const step = fc.oneof(
  fc.record({ type: fc.constant('set' as const), item }),
  fc.record({ type: fc.constant('delete' as const), item }),
  fc.record({ type: fc.constant('pop' as const) }),
)

test('gives the least first, after any sets, replacements and deletions', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new KeyedHeap<Item>(
        ({ key }) => key,
        (a, b) => a.rank < b.rank,
      )
      const model = new Map<string, Item>()
      for (const one of steps) {
        if (one.type === 'set') {
          heap.set(one.item)
          model.set(one.item.key, one.item)
        } else if (one.type === 'delete') {
          expect(heap.delete(one.item.key)).toEqual(model.get(one.item.key))
          model.delete(one.item.key)
        } else {
          const popped = heap.pop()
          const least = Math.min(...[...model.values()].map(({ rank }) => rank))
          expect(popped?.rank).toBe(model.size ? least : undefined)
          if (popped) model.delete(popped.key)
        }
        expect(heap.size).toBe(model.size)
        for (const [key, known] of model) expect(heap.get(key)).toEqual(known)
      }
    }),
    { seed: 1, numRuns: 200 },
  )
})
