import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modelType } from '../testing/types.ts'
import { FieldSet } from './field-set.ts'
import { compareElements, fieldElement, keyElement, parseElement, showPath, valueElement } from './path-element.ts'

fc.configureGlobal({ seed: 1 })

const set = (...paths: string[][]) => {
  const out = new FieldSet()
  for (const path of paths) out.insert(path)
  return out
}

describe('path elements', () => {
  it('are the same text for the same step', () => {
    expect(
      keyElement([
        ['protocol', 'TCP'],
        ['port', 80],
      ]),
    ).toBe('k:{"port":80,"protocol":"TCP"}')
    expect(parseElement('k:{"protocol":"TCP", "port":80}')).toBe('k:{"port":80,"protocol":"TCP"}')
    expect(parseElement('v: "x" ')).toBe(valueElement('x'))
    expect(parseElement('f:a:b')).toBe(fieldElement('a:b'))
    expect(parseElement('i:3')).toBe('i:3')
    expect(parseElement('z:3')).toBeNull()
  })

  it.each(['f', 'name', 'k:[1]', 'k:{', 'v:', 'i:x'])('refuse %j', (text) => {
    expect(() => parseElement(text)).toThrow(SyntaxError)
  })

  it('are shown as people read them', () => {
    const path = [
      'f:spec',
      'f:containers',
      'k:{"name":"a"}',
      'f:ports',
      'k:{"containerPort":80,"protocol":"TCP"}',
      'f:args',
      'v:"x"',
      'i:0',
    ]
    expect(showPath(path)).toBe('.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].args[="x"][0]')
  })

  it('stand in the order in which Kubernetes writes them', () => {
    const wanted = [
      'f:a',
      'f:b',
      'k:{"a":"x"}',
      'k:{"a":"x","b":1}',
      'k:{"name":2}',
      'k:{"name":10}',
      'k:{"name":"a"}',
      'v:1',
      'v:"a"',
      'v:"b"',
      'v:true',
      'i:1',
    ]
    expect(wanted.toReversed().sort(compareElements)).toEqual(wanted)
  })
})

describe('FieldSet', () => {
  it('is written and read as fieldsV1', () => {
    const fields = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {} } }, 'f:replicas': {} },
    }
    const read = FieldSet.fromFieldsV1(fields)
    expect([...read.paths()].map(showPath)).toEqual([
      '.metadata.labels',
      '.metadata.labels.app',
      '.spec.replicas',
      '.spec.containers[name="a"]',
      '.spec.containers[name="a"].image',
    ])
    expect(JSON.stringify(read.toFieldsV1())).toBe(JSON.stringify(fields))
  })

  it('leaves out elements that it does not know, and refuses what is malformed', () => {
    expect(FieldSet.fromFieldsV1({ 'f:a': { 'x:b': {} } }).toFieldsV1()).toEqual({ 'f:a': {} })
    expect(() => FieldSet.fromFieldsV1({ a: {} })).toThrow(SyntaxError)
    expect(() => FieldSet.fromFieldsV1({ 'f:a': 1 })).toThrow(SyntaxError)
  })

  it('takes away members alone, or with all that is below them', () => {
    const whole = set(['f:a'], ['f:a', 'f:b'], ['f:a', 'f:b', 'f:c'], ['f:d'])
    const gone = set(['f:a', 'f:b'])
    expect([...whole.difference(gone).paths()].map(showPath)).toEqual(['.a', '.d', '.a.b.c'])
    expect([...whole.withoutTrees(gone).paths()].map(showPath)).toEqual(['.a', '.d'])
  })

  it('adds the named fields on the way to members', () => {
    const labels = FieldSet.ofFields('metadata.labels.app').withNamedFields(modelType('core.v1.Pod'))
    expect([...labels.paths()].map(showPath)).toEqual(['.metadata', '.metadata.labels', '.metadata.labels.app'])
    const image = set(['f:spec', 'f:containers', 'k:{"name":"a"}', 'f:resources', 'f:limits', 'f:cpu']).withNamedFields(
      modelType('core.v1.Pod'),
    )
    expect(image.has(['f:spec', 'f:containers'])).toBe(true)
    expect(image.has(['f:spec', 'f:containers', 'k:{"name":"a"}'])).toBe(false)
    expect(image.has(['f:spec', 'f:containers', 'k:{"name":"a"}', 'f:resources', 'f:limits'])).toBe(true)
  })

  describe('laws', () => {
    const path = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1'), { minLength: 1, maxLength: 3 })
    const sets = fc.array(path, { maxLength: 6 }).map((paths) => set(...paths))
    const pathsOf = (value: FieldSet) => new Set([...value.paths()].map((at) => at.join('/')))

    it('union, intersection and difference are those of the sets of paths', () => {
      fc.assert(
        fc.property(sets, sets, (a, b) => {
          expect(pathsOf(a.union(b))).toEqual(pathsOf(a).union(pathsOf(b)))
          expect(pathsOf(a.intersection(b))).toEqual(pathsOf(a).intersection(pathsOf(b)))
          expect(pathsOf(a.difference(b))).toEqual(pathsOf(a).difference(pathsOf(b)))
          expect(a.difference(b).union(a.intersection(b)).equals(a)).toBe(true)
          expect(a.equals(b)).toBe(pathsOf(a).symmetricDifference(pathsOf(b)).size === 0)
          expect(a.isEmpty).toBe(pathsOf(a).size === 0)
        }),
      )
    })

    it('a set that is read only when it is looked into is the same set', () => {
      fc.assert(
        fc.property(sets, sets, (a, b) => {
          const lazy = () => FieldSet.fromWritten(JSON.parse(JSON.stringify(a.toFieldsV1())))
          expect(lazy().isEmpty).toBe(a.isEmpty)
          expect(pathsOf(lazy())).toEqual(pathsOf(a))
          expect(pathsOf(lazy().union(b))).toEqual(pathsOf(a.union(b)))
          expect(pathsOf(lazy().intersection(b))).toEqual(pathsOf(a.intersection(b)))
          expect(JSON.stringify(lazy().difference(b).toFieldsV1())).toBe(JSON.stringify(a.difference(b).toFieldsV1()))
          expect(JSON.stringify(lazy().withoutTrees(b).toFieldsV1())).toBe(JSON.stringify(a.withoutTrees(b).toFieldsV1()))
        }),
      )
    })

    it('what is written is read again', () => {
      fc.assert(
        fc.property(sets, (value) => {
          expect(FieldSet.fromFieldsV1(JSON.parse(JSON.stringify(value.toFieldsV1()))).equals(value)).toBe(true)
        }),
      )
    })
  })
})
