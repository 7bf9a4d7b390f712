import { describe, expect, it } from 'vitest'
import { settle } from '../base/fake-clock.ts'
import { Slots } from './slots.ts'

describe('Slots', () => {
  it('lets so many in at a time, the others in order as places come free', async () => {
    const slots = new Slots(2)
    const seen: number[] = []
    const places: Disposable[] = []
    for (let i = 0; i < 4; i++) void slots.take().then((place) => places.push(place) && seen.push(i))
    await settle()
    expect(seen).toEqual([0, 1])
    places[0]?.[Symbol.dispose]()
    places[0]?.[Symbol.dispose]()
    await settle()
    expect(seen).toEqual([0, 1, 2])
    for (const place of places.slice(1)) place[Symbol.dispose]()
    await settle()
    expect(seen).toEqual([0, 1, 2, 3])
  })

  it('forgets who stopped waiting', async () => {
    const slots = new Slots(1)
    const first = await slots.take()
    const abort = new AbortController()
    const second = slots.take(abort.signal)
    const third = slots.take()
    abort.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    first[Symbol.dispose]()
    await third
    await expect(slots.take(AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
  })
})
