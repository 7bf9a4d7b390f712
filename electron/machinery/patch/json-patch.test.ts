import fc from 'fast-check'
import { applyPatch, createPatch } from 'rfc6902'
import { describe, expect, it } from 'vitest'
import { StatusError } from '../status.ts'
import { applyJsonPatch, strictJsonPatchFaults } from './json-patch.ts'

fc.configureGlobal({ seed: 1 })

const document = Object.freeze({
  a: Object.freeze({ b: 1 }),
  list: Object.freeze([1, Object.freeze({ c: 2 }), 3]),
  'x/y': Object.freeze({ '~z': 5 }),
  n: null,
})
const faultOf = (patch: unknown): string => {
  try {
    applyJsonPatch(document, patch)
  } catch (error) {
    const { status } = error as StatusError
    expect(status.reason).toBe('Invalid')
    expect(status.code).toBe(422)
    return status.details?.causes?.[0]?.message ?? ''
  }
  return 'no fault'
}

describe('applyJsonPatch', () => {
  it.each<[unknown[], unknown]>([
    [[{ op: 'add', path: '/a/d', value: 2 }], { a: { b: 1, d: 2 } }],
    [[{ op: 'add', path: '/list/0', value: 0 }], { list: [0, 1, { c: 2 }, 3] }],
    [[{ op: 'add', path: '/list/3', value: 4 }], { list: [1, { c: 2 }, 3, 4] }],
    [[{ op: 'add', path: '/list/-', value: 4 }], { list: [1, { c: 2 }, 3, 4] }],
    [[{ op: 'add', path: '/list/-1', value: 4 }], { list: [1, { c: 2 }, 3, 4] }],
    [[{ op: 'remove', path: '/list/-1' }], { list: [1, { c: 2 }] }],
    [[{ op: 'remove', path: '/a/b' }], { a: {} }],
    [[{ op: 'replace', path: '/list/1/c', value: null }], { list: [1, { c: null }, 3] }],
    [[{ op: 'replace', path: '/a/absent', value: 1 }], { a: { b: 1, absent: 1 } }],
    [[{ op: 'replace', path: '/x~1y/~0z', value: 6 }], { 'x/y': { '~z': 6 } }],
    [[{ op: 'move', from: '/a/b', path: '/list/1' }], { a: {}, list: [1, 1, { c: 2 }, 3] }],
    [
      [
        { op: 'copy', from: '/a', path: '/e' },
        { op: 'add', path: '/e/f', value: 1 },
      ],
      { a: { b: 1 }, e: { b: 1, f: 1 } },
    ],
    [[{ op: 'test', path: '/a', value: { b: 1 } }], {}],
    [[{ op: 'test', path: '/n', value: null }], {}],
    [[{ op: 'test', path: '/absent', value: null }], {}],
    [
      [
        { op: 'replace', path: '/list', value: [{ v: 1 }] },
        { op: 'add', path: '/list/0/w', value: 2 },
      ],
      { list: [{ v: 1, w: 2 }] },
    ],
  ])('%j', (patch, changed) => {
    expect(applyJsonPatch(document, patch)).toEqual({ ...document, ...(changed as object) })
  })

  it('replaces the whole document', () => {
    expect(applyJsonPatch(document, [{ op: 'replace', path: '', value: { z: 1 } }])).toEqual({ z: 1 })
  })

  it('adds a property whatever its name, and never looks at inherited ones', () => {
    const result = applyJsonPatch({ m: {} }, [{ op: 'add', path: '/m/__proto__', value: 'x' }]) as { m: object }
    expect(Object.keys(result.m)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(result.m)).toBe(Object.prototype)
    expect(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }])).toThrow(StatusError)
  })

  it('does not let a value of the patch be shared by two places', () => {
    const patch = [
      { op: 'add', path: '/p', value: { q: 1 } },
      { op: 'copy', from: '/p', path: '/r' },
      { op: 'replace', path: '/r/q', value: 2 },
    ]
    expect(applyJsonPatch({}, patch)).toEqual({ p: { q: 1 }, r: { q: 2 } })
    expect(patch[0]).toEqual({ op: 'add', path: '/p', value: { q: 1 } })
  })

  it.each([
    [[{ op: 'add', path: '/q/r', value: 1 }], 'add operation does not apply: doc is missing path: "/q/r": missing value'],
    [[{ op: 'remove', path: '/q' }], "error in remove for path: '/q': Unable to remove nonexistent key: q: missing value"],
    [
      [{ op: 'remove', path: '/list/9' }],
      "error in remove for path: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [[{ op: 'replace', path: '/q/r', value: 1 }], 'replace operation does not apply: doc is missing path: /q/r: missing value'],
    [[{ op: 'replace', path: '/list/9', value: 1 }], 'replace operation does not apply: doc is missing key: /list/9: missing value'],
    [
      [{ op: 'add', path: '/list/9', value: 1 }],
      "error in add for path: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [
      [{ op: 'add', path: '/list/x', value: 1 }],
      `error in add for path: '/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [[{ op: 'test', path: '/a/b', value: 2 }], 'testing value /a/b failed: test failed'],
    [[{ op: 'test', path: '/q/r', value: 2 }], 'test operation does not apply: is missing path: /q/r: missing value'],
    [[{ op: 'move', from: '/q', path: '/r' }], "error in move for path: 'q': Unable to remove nonexistent key: q: missing value"],
    [[{ op: 'move', from: '/a', path: '/a/b' }], 'move operation does not apply: doc is missing destination path: /a/b: missing value'],
    [[{ op: 'copy', path: '/r' }], 'copy operation failed to decode from: missing value'],
    [[{ op: 'remove' }], 'remove operation failed to decode path: missing value'],
    [[{ op: 'remove', path: 'a' }], 'remove operation does not apply: doc is missing path: "a": missing value'],
    [[{ op: 'merge', path: '/a' }], 'Unexpected kind: merge'],
    [[{ path: '/a' }], 'Unexpected kind: unknown'],
  ])('refuses %j in the words of the API server', (patch, message) => {
    expect(faultOf(patch)).toBe(message)
  })

  it('refuses what is no patch, and one of too many operations', () => {
    expect(() => applyJsonPatch({}, {})).toThrow(expect.objectContaining({ reason: 'BadRequest' }))
    expect(() => applyJsonPatch({}, [1])).toThrow(expect.objectContaining({ reason: 'BadRequest' }))
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }))
    expect(() => applyJsonPatch({}, many)).toThrow('The allowed maximum operations in a JSON patch is 10000, got 10001')
  })

  it('names properties that mean nothing', () => {
    expect(
      strictJsonPatchFaults([
        { op: 'test', path: '', value: 1 },
        { op: 'test', extra: 1 },
      ]),
    ).toEqual(['json patch unknown field "[1].extra"'])
  })

  it('does what any other implementation does with patches between two documents', () => {
    const json = fc.dictionary(fc.constantFrom('a', 'b', 'c/d', '~'), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
    fc.assert(
      fc.property(json, json, (before, after) => {
        const from: unknown = JSON.parse(JSON.stringify(before))
        const to: unknown = JSON.parse(JSON.stringify(after))
        const patch = createPatch(from, to)
        const snapshot = structuredClone(from)
        expect(applyJsonPatch(from, patch)).toEqual(to)
        expect(from).toEqual(snapshot)
        const other = structuredClone(from)
        applyPatch(other, patch)
        expect(applyJsonPatch(from, patch)).toEqual(other)
      }),
      { numRuns: 300 },
    )
  })
})
