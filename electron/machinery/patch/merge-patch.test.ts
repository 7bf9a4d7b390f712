import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyMergePatch, createMergePatch } from './merge-patch.ts'

fc.configureGlobal({ seed: 1 })

describe('applyMergePatch', () => {
  // The table of RFC 7386, appendix A.
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, result) => {
    expect(applyMergePatch(document, patch)).toEqual(result)
  })

  it('drops nulls of objects inside lists, as the API server does', () => {
    expect(applyMergePatch({}, { a: [{ b: null, c: 1 }, null] })).toEqual({ a: [{ c: 1 }, null] })
  })

  it('sets a property whatever its name', () => {
    const result = applyMergePatch({}, JSON.parse('{"__proto__":{"a":1}}'))
    expect(Object.keys(result as object)).toEqual(['__proto__'])
    expect(({} as { a?: number }).a).toBeUndefined()
  })
})

describe('createMergePatch', () => {
  const withoutNull = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.array(fc.integer(), { maxLength: 2 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 3 }),
  })).object

  it('makes the patch that leads from one document to the other', () => {
    fc.assert(
      fc.property(withoutNull, withoutNull, (from, to) => {
        expect(applyMergePatch(from, createMergePatch(from, to))).toEqual(to)
        expect(createMergePatch(to, structuredClone(to))).toEqual({})
      }),
    )
  })
})
