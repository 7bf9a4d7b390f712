import { describe, expect, it } from 'vitest'
import { compilePath, readSimple, writeSimple } from './json-path.ts'

const object = {
  metadata: { annotations: { 'example.com/a': 'x' } },
  spec: {
    replicas: 3,
    list: [
      { name: 'a', size: 1 },
      { name: 'b', size: 2 },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'False' },
    ],
  },
}

describe('paths of printer columns', () => {
  it.each<[string, unknown[]]>([
    ['.spec.replicas', [3]],
    ['.spec.none', []],
    ['.spec.list[0].name', ['a']],
    ['.spec.list[-1].name', ['b']],
    ['.spec.list[5].name', []],
    ['.spec.list[*].name', ['a', 'b']],
    ['.metadata.annotations.example\\.com/a', ['x']],
    [".metadata.annotations['example.com/a']", ['x']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type == 'Old')].status", ['False']],
    ['.spec.list[?(@.size>1)].name', ['b']],
    ['.spec.list[?(@.size!=1)].name', ['b']],
    ['.spec.list[?(@.none)].name', []],
  ])('%s', (path, values) => {
    expect(compilePath(path)(object)).toEqual(values)
  })

  it('that are none are refused', () => {
    expect(() => compilePath('.a{b}')).toThrow('unrecognized character in action: {')
  })
})

describe('paths to one field', () => {
  it('read and write it, and make what is missing on the way', () => {
    const target = { spec: {} }
    writeSimple('.spec.deep.replicas', target, 4)
    expect(target).toEqual({ spec: { deep: { replicas: 4 } } })
    expect(readSimple('.spec.deep.replicas')(target)).toBe(4)
    expect(readSimple('.spec.none.replicas')(target)).toBeUndefined()
    expect(() => readSimple('.spec.list[0]')).toThrow(SyntaxError)
  })
})
