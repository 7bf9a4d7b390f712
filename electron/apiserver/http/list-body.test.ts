import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { Entry } from '../cache/entry.ts'
import { Layout } from '../cache/layout.ts'
import { ListBody } from './list-body.ts'

const layout = new Layout({ group: '', version: 'v1', kind: 'Thing' })
const entryOf = (name: string, size: number) =>
  new Entry(layout, name, layout.encode({ metadata: { name }, data: 'x'.repeat(size) } as unknown as KubeObject), 7)
const bodyOf = (sizes: readonly number[]) =>
  new ListBody(
    '{"kind":"List","items":[',
    sizes.map((size, i) => entryOf(`n${i}`, size)),
  )
const HALF = 256 << 10

describe('ListBody', () => {
  it.each([[[]], [[10]], [[10, 20, 30]], [[HALF, HALF, HALF, HALF, 10]], [[4 * HALF]], [Array.from({ length: 3000 }, (_, i) => i)]])(
    'is the same in pieces and as a whole, as long as it says (%#)',
    (sizes) => {
      const body = bodyOf(sizes)
      const whole = body.whole()
      expect(Buffer.concat([...body.pieces()]).equals(whole)).toBe(true)
      expect(body.length).toBe(whole.length)
      const { items } = JSON.parse(whole.toString()) as { items: { metadata: object; data: string }[] }
      expect(items.map(({ data }) => data.length)).toEqual(sizes)
      if (items[0]) expect(items[0].metadata).toEqual({ name: 'n0', resourceVersion: '7' })
    },
  )

  it('makes pieces of half a mebibyte, and an object more', () => {
    const pieces = [...bodyOf(Array.from({ length: 100 }, () => 50_000)).pieces()]
    expect(pieces.length).toBeGreaterThan(5)
    for (const piece of pieces) expect(piece.length).toBeLessThan(600_000)
  })

  it('makes the next piece when the reader has taken the last', () => {
    const taken: number[] = []
    let ended = false
    let drained = () => {}
    const write = (bytes: Buffer, wake: () => void) => {
      taken.push(bytes.length)
      drained = wake
      return false
    }
    const body = bodyOf([2 * HALF, 2 * HALF, 2 * HALF])
    body.pump({ write, end: () => (ended = true) })
    expect(taken).toHaveLength(1)
    while (!ended) drained()
    expect(taken.reduce((sum, one) => sum + one)).toBe(body.length)
  })
})
