import { describe, expect, it } from 'vitest'
import { rebase } from './rebase.ts'

const BASE = { spec: { replicas: 2, image: 'a', list: [1] }, status: { ready: 1 } }

describe('an edit on top of what changed meanwhile', () => {
  it('keeps both changes where they do not touch', () => {
    const mine = { spec: { replicas: 5, image: 'a', list: [1] }, status: { ready: 1 } }
    const theirs = { spec: { replicas: 2, image: 'a', list: [1] }, status: { ready: 2 }, extra: true }
    expect(rebase(BASE, mine, theirs)).toEqual({
      result: { spec: { replicas: 5, image: 'a', list: [1] }, status: { ready: 2 }, extra: true },
      conflicts: [],
    })
  })
  it('takes away what was taken away', () => {
    expect(rebase({ a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 })).toEqual({ result: { a: 1, c: 3 }, conflicts: [] })
  })
  it('names the fields that both changed', () => {
    const mine = { ...BASE, spec: { ...BASE.spec, replicas: 5, list: [1, 2] } }
    const theirs = { ...BASE, spec: { ...BASE.spec, replicas: 3, list: [1, 3] } }
    expect(rebase(BASE, mine, theirs).conflicts).toEqual(['spec.replicas', 'spec.list'])
  })
  it('sees no conflict where both changed to the same', () => {
    expect(rebase({ a: 1 }, { a: 2 }, { a: 2 })).toEqual({ result: { a: 2 }, conflicts: [] })
  })
})
